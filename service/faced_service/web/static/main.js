// Builds the page.
import { call } from "./api.js";
import { FaceCards } from "./faces.js";
import { Live } from "./live.js";
import { PictureDesk } from "./picture.js";
import { Settings } from "./settings.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { askForToken } from "./token_dialog.js";
import { upper } from "./words.js";

const AGAIN_MS = 2_000;
const $ = (id) => document.getElementById(id);
const settings = new Settings($("settings")), stage = new Stage($("stage"));
const live = new Live({
  stage,
  settings,
  cards: new FaceCards($("faces")),
  timeline: new Timeline($("timeline"), $("legend")),
  pill: $("status"),
  spoken: $("spoken"),
  empty: $("people-empty"),
  learn,
  onChange: showCameras,
});

const desk = new PictureDesk(() => ({ attributes: settings.boxes().length ? settings.attributes : null, blur: stage.blur }));
stage.set({ mirror: settings.kept.mirror ?? true, blur: settings.kept.blur ?? false });
live.stop();
toggle("mirror", () => ({ mirror: !stage.mirror }));
toggle("blur", () => ({ blur: !stage.blur }), () => desk.draw());
$("start").onclick = () => (live.running ? live.stop() : live.start($("camera").value));
$("camera").onchange = () => live.start($("camera").value);
$("settings-open").onclick = () => {
  $("settings").hidden = !$("settings").hidden;
  $("settings-open").setAttribute("aria-expanded", String(!$("settings").hidden));
};
addEventListener("token", learn);
learn();

function toggle(id, next, then = () => {}) {
  const show = () => $(id).setAttribute("aria-pressed", String(stage[id]));
  $(id).onclick = () => {
    stage.set(next());
    settings.keep({ [id]: stage[id] });
    show();
    then();
  };
  show();
}

function showCameras(cameras, starting) {
  $("start").textContent = starting ? "Cancel" : cameras ? "Stop camera" : "Start camera";
  $("mirror").setAttribute("aria-pressed", String(stage.mirror));
  if (!cameras) return;
  const current = stage.video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
  $("camera").replaceChildren(...cameras.map(({ deviceId, label }, index) => new Option(label || `Camera ${index + 1}`, deviceId, false, deviceId === current)));
  $("camera-pick").hidden = cameras.length < 2;
}

// What the server is and allows; asked again where it does not answer yet.
async function learn() {
  try {
    const facts = await call("/v1/info");
    settings.offer(facts.attributes);
    $("version").textContent = `faced ${facts.version} · ${facts.device} · ${facts.backend} · ${facts.precision}`;
    const links = Object.entries(facts.documents).map(([path, title]) => {
      const item = document.createElement("li"), link = item.appendChild(document.createElement("a"));
      link.href = path;
      link.textContent = path.startsWith("/about/cards/") ? `Model card: ${title}` : title;
      return item;
    });
    $("documents").replaceChildren(...links, $("documents").lastElementChild);
    document.body.dataset.ready = "true";
  } catch (error) {
    if (error.reason === "unauthenticated") {
      await askForToken(`${upper(error.message)}.`);
    } else {
      setTimeout(learn, AGAIN_MS);
    }
  }
}

// For those who look into it from the console.
globalThis.faced = { live, desk };
