// Frame rate, latency and what was left out, over the last seconds.
const SPAN_MS = 2_000, SHOW_MS = 250, SLOW_PER_S = 3, BUSY_AFTER_MS = 3_000;

export class Meters {
  constructor(root) {
    this.places = Object.fromEntries(["fps", "latency", "server", "dropped"].map((id) => [id, root.querySelector(`#${id}`)]));
    this.reset();
  }

  reset() {
    this.frames = [];
    this.busySince = null;
    for (const place of Object.values(this.places)) place.textContent = "–";
  }

  answered(took, server) {
    this.frames.push({ time: performance.now(), took, server });
  }

  // Gives whether much has been left out for a while.
  show(cameraRate) {
    const now = performance.now();
    while (this.frames.length && this.frames[0].time < now - SPAN_MS) this.frames.shift();
    const rate = (1000 * this.frames.length) / SPAN_MS;
    const left = cameraRate > 0 ? Math.max(0, 1 - rate / cameraRate) : 0;
    this.set("fps", rate < 10 ? rate.toFixed(1) : String(Math.round(rate)));
    this.set("latency", median(this.frames.map(({ took }) => took)));
    this.set("server", median(this.frames.map(({ server }) => server)));
    this.set("dropped", `${Math.round(100 * left)} %`);
    const slow = cameraRate > SLOW_PER_S && rate < SLOW_PER_S;
    this.busySince = slow ? (this.busySince ?? now) : null;
    const busy = slow && now - this.busySince > BUSY_AFTER_MS;
    this.places.dropped.closest("div").classList.toggle("busy", busy);
    return busy;
  }

  set(name, text) {
    if (this.places[name].textContent !== text) this.places[name].textContent = text;
  }
}

export const METERS_EVERY_MS = SHOW_MS;

function median(values) {
  if (values.length === 0) return "–";
  return String(Math.round(values.sort((a, b) => a - b)[values.length >> 1]));
}
