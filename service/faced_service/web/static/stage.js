// The video with what is known of its faces; notices over it.
import { blurFaces, drawFaces } from "./boxes.js";

// Boxes of a slow answer would lie beside their faces: then the picture that was analysed is shown with them.
const LATE_MS = 150, SOON_MS = 110, SHARE = 0.2;
const FORGET_MS = 1_000, WARN_MS = 4_000;

export class Stage {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.overlay = root.querySelector("#overlay");
    this.notice = root.querySelector("#notice");
    this.toast = root.querySelector("#toast");
    this.took = 0;
    this.late = false;
    this.mirror = true;
    this.blur = false;
    // What else is to go with boxes that are too old.
    this.forgotten = () => {};
    this.video.addEventListener("resize", () => this.fit());
    new ResizeObserver(() => this.fit()).observe(root);
  }

  fit() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (width) this.root.style.aspectRatio = `${width} / ${height}`;
    this.unit = Math.min(2, devicePixelRatio);
    const pixels = [Math.round(this.root.clientWidth * this.unit), Math.round(this.root.clientHeight * this.unit)];
    if (this.overlay.width !== pixels[0] || this.overlay.height !== pixels[1]) [this.overlay.width, this.overlay.height] = pixels;
  }

  set({ mirror = this.mirror, blur = this.blur }) {
    this.mirror = mirror;
    this.blur = blur;
    this.video.classList.toggle("mirrored", mirror);
    // The live picture runs ahead of its boxes: blurred, only pictures that were analysed are shown.
    this.video.classList.toggle("covered", blur);
    this.clear();
  }

  // `picture` is the one that was analysed, `took` the milliseconds until its answer was there.
  show(analysis, picture, took) {
    this.analysed = analysis;
    const context = this.overlay.getContext("2d"), { width, height } = this.overlay;
    context.clearRect(0, 0, width, height);
    // The picture lies in the stage as the video does: whole, centred.
    const scale = Math.min(width / analysis.width, height / analysis.height);
    context.save();
    context.translate((width - analysis.width * scale) / 2, (height - analysis.height * scale) / 2);
    const mirroredWidth = this.mirror ? analysis.width : null;
    this.took += SHARE * (took - this.took);
    this.late = this.took > (this.late ? SOON_MS : LATE_MS);
    if (this.blur || this.late) {
      context.save();
      if (this.mirror) context.transform(-1, 0, 0, 1, analysis.width * scale, 0);
      context.drawImage(picture, 0, 0, analysis.width * scale, analysis.height * scale);
      context.restore();
    }
    if (this.blur) blurFaces(context, picture, analysis.faces, { scale, mirroredWidth });
    drawFaces(context, analysis.faces, { scale, unit: this.unit, mirroredWidth, points: !this.blur });
    context.restore();
    // Boxes without news would lie; a slow server has them seldom.
    clearTimeout(this.forget);
    this.forget = setTimeout(() => (this.clear(), this.forgotten()), Math.max(FORGET_MS, 3 * took));
  }

  clear() {
    this.overlay.getContext("2d").clearRect(0, 0, this.overlay.width, this.overlay.height);
  }

  tell(title, text, { over = false, icon = true } = {}) {
    const heading = document.createElement("h2"), words = document.createElement("p");
    heading.textContent = title;
    words.textContent = text;
    const parts = [heading, words];
    if (icon) {
      const svg = new DOMParser().parseFromString('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke-width="2.5" stroke-linecap="round"><path d="M6 16v-5a5 5 0 0 1 5-5h5M32 6h5a5 5 0 0 1 5 5v5M42 32v5a5 5 0 0 1-5 5h-5M16 42h-5a5 5 0 0 1-5-5v-5"/><circle cx="24" cy="20" r="6"/><path d="M13 36c1-6 5-9 11-9s10 3 11 9"/></svg>', "image/svg+xml").documentElement;
      parts.unshift(document.importNode(svg, true));
    }
    this.notice.classList.toggle("over", over);
    this.notice.replaceChildren(...parts);
  }

  quiet() {
    this.notice.replaceChildren();
  }

  // For a few seconds, from the last time that it was said.
  warn(text) {
    this.toast.hidden = !text;
    if (text && this.toast.textContent !== text) this.toast.textContent = text;
    clearTimeout(this.calm);
    if (text) this.calm = setTimeout(() => this.warn(""), WARN_MS);
  }
}
