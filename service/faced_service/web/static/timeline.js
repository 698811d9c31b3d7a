// Stacked emotions of the largest face over the last minute.
import { classVariable, cssColour } from "./palette.js";
import { isFace, percent } from "./words.js";

const SPAN_MS = 60_000, GAP_MS = 1_500, EVERY_MS = 100;

export class Timeline {
  constructor(canvas, legend) {
    this.canvas = canvas;
    this.legend = legend;
    this.samples = [];
    this.labels = [];
    this.drawn = 0;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.colour());
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  add(faces) {
    const now = performance.now();
    const area = ({ box }) => (box.right - box.left) * (box.bottom - box.top);
    const largest = faces.filter(isFace).reduce((best, face) => (best && area(best) >= area(face) ? best : face), null);
    const probabilities = largest?.attributes.emotion?.probabilities;
    if (probabilities) {
      const labels = Object.keys(probabilities);
      if (labels.join() !== this.labels.join()) this.name(labels);
      this.samples.push({ time: now, who: largest.track_id, values: Object.values(probabilities) });
    }
    while (this.samples.length && this.samples[0].time < now - SPAN_MS - GAP_MS) this.samples.shift();
    if (now - this.drawn > EVERY_MS) this.draw();
  }

  name(labels) {
    this.labels = labels;
    this.samples = [];
    this.legend.replaceChildren(
      ...labels.map((label, index) => {
        const item = document.createElement("li"), swatch = document.createElement("i");
        swatch.style.setProperty("--bar", `var(${classVariable("emotion", label, index)})`);
        item.append(swatch, label);
        return item;
      }),
    );
    this.colour();
  }

  colour() {
    this.colours = this.labels.map((label, index) => cssColour(classVariable("emotion", label, index)));
    this.draw();
  }

  draw() {
    this.drawn = performance.now();
    const unit = devicePixelRatio, width = Math.round(this.canvas.clientWidth * unit), height = Math.round(this.canvas.clientHeight * unit);
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const x = (time) => width * (1 - (this.drawn - time) / SPAN_MS);
    for (const run of this.runs()) {
      let base = run.map(() => 0);
      this.labels.forEach((_, label) => {
        const top = run.map((sample, i) => base[i] + sample.values[label]);
        context.fillStyle = this.colours[label];
        context.beginPath();
        run.forEach((sample, i) => context.lineTo(x(sample.time), height * (1 - top[i])));
        for (let i = run.length - 1; i >= 0; i--) context.lineTo(x(run[i].time), height * (1 - base[i]));
        context.fill();
        base = top;
      });
    }
    const newest = this.samples.at(-1);
    if (newest) {
      const best = newest.values.indexOf(Math.max(...newest.values));
      const words = `Now ${this.labels[best]}, ${percent(newest.values[best])}`;
      if (this.canvas.ariaLabel !== words) this.canvas.ariaLabel = words;
    }
  }

  // Stretches without a gap and with one person.
  runs() {
    const runs = [];
    let before = null;
    for (const sample of this.samples) {
      if (before && sample.time - before.time < GAP_MS && sample.who === before.who) runs.at(-1).push(sample);
      else runs.push([sample]);
      before = sample;
    }
    return runs;
  }
}
