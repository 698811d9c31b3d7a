// What the visitor wishes, kept in this browser; the token is not among it.
import { title } from "./words.js";

const KEY = "faced-settings", STANDARD = ["emotion", "gender", "age", "age_group"];

export class Settings extends EventTarget {
  constructor(form) {
    super();
    this.form = form;
    this.fieldset = form.querySelector("#attributes");
    this.kept = read();
    for (const name of ["min_face", "smoothing", "scan"]) {
      const value = this.kept[name];
      if ([...form.elements[name].options].some((option) => option.value === value)) form.elements[name].value = value;
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => {
      this.keep({ min_face: form.elements.min_face.value, smoothing: form.elements.smoothing.value, scan: form.elements.scan.value, off: this.boxes().filter((box) => !box.checked && !box.disabled).map((box) => box.value) });
      this.dispatchEvent(new Event("change"));
    });
  }

  boxes() {
    return [...this.fieldset.querySelectorAll("input")];
  }

  // What the server allows; the usual ones that it does not are named too, so that nobody looks for them.
  offer(allowed) {
    const names = [...allowed, ...STANDARD.filter((name) => !allowed.includes(name))];
    this.fieldset.querySelectorAll("label").forEach((label) => label.remove());
    for (const name of names) {
      const label = document.createElement("label"), box = document.createElement("input");
      Object.assign(box, { type: "checkbox", name: "attribute", value: name, disabled: !allowed.includes(name) });
      box.checked = !box.disabled && !(this.kept.off ?? []).includes(name);
      label.className = box.disabled ? "off" : "";
      label.append(box, box.disabled ? `${title(name)} (not allowed on this server)` : title(name));
      this.fieldset.append(label);
    }
  }

  get attributes() {
    return this.boxes().filter((box) => box.checked).map((box) => box.value);
  }

  // The start of a camera socket.
  get start() {
    const { min_face: smallest, smoothing, scan } = this.form.elements;
    return {
      attributes: this.boxes().length ? this.attributes : null,
      ...(smallest.value && { min_face: Number(smallest.value) }),
      ...(smoothing.value && { smoothing_half_life: Number(smoothing.value) }),
      scan_interval: Number(scan.value),
    };
  }

  keep(values) {
    this.kept = { ...this.kept, ...values };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.kept));
    } catch {
      // Private windows may refuse; then they last as long as the page.
    }
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
