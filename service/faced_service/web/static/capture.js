// Pictures of a video as JPEG, each the newest there is, and no more under way than help.
const MOST_PIXELS = 640 * 480, QUALITY = 0.9, SPAN_MS = 2_000, RENEW_MS = 150, OVERDUE = 1.2;

export class Capture {
  constructor(video, connection) {
    this.video = video;
    this.connection = connection;
    this.canvas = new OffscreenCanvas(1, 1);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.encoder = new Worker("/encoder.js");
    this.encoder.onmessage = ({ data: { number, bytes } }) => this.encoded(number, bytes);
    this.encoding = new Map();
    this.number = 0;
    this.fresh = false;
    this.running = true;
    this.came = [];
    this.sent = -Infinity;
    this.work = this.network = 0;
    this.next();
  }

  stop() {
    this.running = false;
    this.encoder.terminate();
    for (const { picture } of this.encoding.values()) picture.close();
    this.encoding.clear();
  }

  next() {
    if (!this.running) return;
    const look = (now) => {
      this.fresh = true;
      this.came.push(now);
      this.forget();
      this.send();
      this.next();
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(look);
    else requestAnimationFrame(look);
  }

  forget() {
    const since = performance.now() - SPAN_MS;
    while (this.came[0] < since) this.came.shift();
  }

  // Frames that the camera gives in a second, 0 once it gives none.
  get rate() {
    this.forget();
    return (1000 * this.came.length) / SPAN_MS;
  }

  // A second one under way hides the time on the network, and makes nothing newer where there is none to hide. Where
  // others have their turns meanwhile, what waits at the server is replaced by what is newer.
  get wanted() {
    const underWay = this.connection.waiting.length + this.encoding.size;
    if (underWay < (this.network > this.work ? 2 : 1)) return true;
    return performance.now() - this.sent > Math.max(RENEW_MS, OVERDUE * (this.work + this.network));
  }

  send() {
    const { video, connection, canvas } = this;
    if (!this.running || !this.fresh || !connection.ready) return;
    if (!video.videoWidth || !this.wanted) return;
    this.fresh = false;
    const began = (this.sent = performance.now());
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (video.videoWidth * video.videoHeight)));
    const width = Math.round(video.videoWidth * scale), height = Math.round(video.videoHeight * scale);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.context.drawImage(video, 0, 0, width, height);
    const picture = canvas.transferToImageBitmap(), number = this.number++;
    this.encoding.set(number, { began, picture });
    this.encoder.postMessage({ number, picture, quality: QUALITY });
  }

  encoded(number, bytes) {
    const note = this.encoding.get(number);
    this.encoding.delete(number);
    if (!this.running || !this.connection.send(bytes, note)) note.picture.close();
  }

  // The answer has come: its picture is gone once `use` is done with it.
  answered({ began, picture }, message, use) {
    if (message.timing_ms) {
      const { total, queue } = message.timing_ms;
      this.work = total - queue;
      this.network = Math.max(0, performance.now() - began - total);
    }
    use(picture);
    picture.close();
    this.send();
  }
}
