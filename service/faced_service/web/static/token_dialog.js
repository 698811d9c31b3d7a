// Asks for the token, once; all who want it at the same time wait for one answer.
import { forgetToken, keepToken, token } from "./api.js";

const dialog = document.querySelector("#token-dialog"), form = document.querySelector("#token-form");
const PLAIN = document.querySelector("#token-why").textContent;
let asking = null;

// The token is kept; false: there will be none. `why` the one that there was is of no use.
export function askForToken(why) {
  const words = token() === null ? PLAIN : why;
  forgetToken();
  asking ??= new Promise((resolve) => {
    document.querySelector("#token-why").textContent = words;
    form.reset();
    dialog.returnValue = "";
    dialog.showModal();
    form.onsubmit = (event) => {
      event.preventDefault();
      const value = form.elements.token.value.trim();
      if (!value) return form.elements.token.focus();
      if (!/^[!-~]+$/.test(value)) {
        document.querySelector("#token-why").textContent = "A token has no spaces, and no signs beside those of ASCII: some programs change quotes and dashes.";
        return form.elements.token.focus();
      }
      keepToken(value);
      dialog.close("given");
    };
    document.querySelector("#token-cancel").onclick = () => dialog.close("");
    dialog.onclose = () => {
      asking = null;
      resolve(dialog.returnValue === "given");
    };
  });
  return asking;
}
