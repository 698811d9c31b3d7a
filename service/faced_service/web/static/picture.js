// One picture: dropped, pasted or chosen; analysed, shown, downloaded.
import { call } from "./api.js";
import { drawFaces, blurFaces } from "./boxes.js";
import { FaceCards } from "./faces.js";
import { askForToken } from "./token_dialog.js";
import { counted, sentence, upper } from "./words.js";

const $ = (id) => document.getElementById(id);

export class PictureDesk {
  // `wishes()` gives the attributes and whether faces are blurred.
  constructor(wishes) {
    this.wishes = wishes;
    this.cards = new FaceCards($("picture-faces"));
    const drop = $("drop"), file = $("file");
    $("choose").onclick = () => file.click();
    file.onchange = () => (this.take(file.files[0]), (file.value = ""));
    for (const type of ["dragenter", "dragover"]) drop.addEventListener(type, (event) => (event.preventDefault(), drop.classList.add("over")));
    for (const type of ["dragleave", "drop"]) drop.addEventListener(type, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => (event.preventDefault(), this.take(event.dataTransfer.files[0])));
    // A picture that misses the field must not replace the page.
    for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());
    addEventListener("paste", (event) => event.clipboardData?.files[0] && this.take(event.clipboardData.files[0]));
    $("save-png").onclick = () => $("picture-canvas").toBlob((blob) => save(blob, `${this.name}.faces.png`));
    $("save-json").onclick = () => save(new Blob([JSON.stringify({ source: this.source, ...this.analysis }, null, 2)], { type: "application/json" }), `${this.name}.json`);
  }

  async take(file) {
    if (!file) return;
    this.say(`Looking at ${file.name} …`);
    $("result").hidden = true;
    try {
      const { attributes } = this.wishes();
      const query = new URLSearchParams(attributes === null ? {} : { attributes: attributes.join(",") || "none" });
      const analysis = await call(`/v1/analyze?${query}`, { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
      await this.show(file, analysis);
    } catch (error) {
      if (error.reason === "unauthenticated") {
        if (await askForToken(`${upper(error.message)}.`)) await this.take(file);
        else this.say("Without a token there is no answer.", true);
        return;
      }
      this.say(error.status ? `${upper(error.message)}.` : "The server does not answer. Try again in a moment.", true);
    }
  }

  async show(file, analysis) {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    this.picture?.close();
    Object.assign(this, { picture, analysis, source: file.name, name: file.name.replace(/\.[^.]*$/, "") });
    $("result").hidden = false;
    this.draw();
    $("picture-canvas").ariaLabel = sentence(analysis.faces);
    this.cards.show(analysis.faces);
    const { width, height, min_detectable_px: smallest, timing_ms: timing } = analysis;
    this.say(`${counted(analysis.faces)} in ${width} × ${height} pixels; faces from ${Math.round(smallest)} px can be found. ${Math.round(timing.total)} ms.`);
  }

  // The picture that is there, again where blurring was switched.
  draw() {
    const { picture, analysis } = this, canvas = $("picture-canvas");
    if (!picture) return;
    Object.assign(canvas, { width: picture.width, height: picture.height });
    const context = canvas.getContext("2d"), scale = picture.width / analysis.width;
    context.drawImage(picture, 0, 0);
    const { blur } = this.wishes();
    if (blur) blurFaces(context, picture, analysis.faces, { scale });
    drawFaces(context, analysis.faces, { scale, unit: Math.max(1, canvas.width / (canvas.clientWidth || canvas.width)), points: !blur });
  }

  say(text, bad = false) {
    $("picture-state").textContent = text;
    $("picture-state").classList.toggle("bad", bad);
  }
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
