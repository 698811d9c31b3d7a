// The socket of one camera: it comes again when its server does, and holds no more pictures than it has credits.
const FIRST_PAUSE_MS = 250, LONGEST_PAUSE_MS = 4_000, ALIVE_MS = 15_000;
const FINAL = ["unauthenticated", "forbidden_attribute", "unknown_attribute", "invalid_option", "stream_order"];

export class Connection extends EventTarget {
  // `start()` gives the first message, anew each time.
  constructor(start) {
    super();
    this.start = start;
    this.pause = FIRST_PAUSE_MS;
    this.waiting = [];
    this.credits = 0;
    this.closed = false;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.giveUp();
    this.credits = 0;
    this.refusal = null;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = (this.socket = new WebSocket(`${scheme}://${location.host}/v1/stream`));
    socket.onopen = () => socket.send(JSON.stringify({ type: "start", ...this.start() }));
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  // With other wishes; the newest picture alone is of interest, so nothing is lost.
  restart() {
    if (this.closed) return;
    this.drop();
    this.open();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.drop();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.giveUp();
  }

  // What was sent is not answered any more: its pictures hold memory until they are closed.
  giveUp() {
    clearTimeout(this.alarm);
    for (const { picture } of this.waiting) picture.close();
    this.waiting = [];
  }

  get ready() {
    return this.credits > this.waiting.length && this.socket?.readyState === WebSocket.OPEN;
  }

  // `note`, which has the `picture`, comes back with the answer.
  send(picture, note) {
    if (!this.ready) return false;
    this.waiting.push(note);
    this.socket.send(picture);
    this.watch();
    return true;
  }

  watch() {
    clearTimeout(this.alarm);
    // A server that vanished without a word.
    if (this.waiting.length) this.alarm = setTimeout(() => this.socket && (this.drop(), this.lost(1006)), ALIVE_MS);
  }

  hear(message) {
    switch (message.type) {
      case "started":
        this.credits = message.credits;
        this.pause = FIRST_PAUSE_MS;
        this.tell("started", message);
        break;
      case "frame": {
        const note = this.waiting.shift();
        this.watch();
        this.tell("frame", { message, note });
        break;
      }
      case "draining":
        this.credits = 0;
        this.tell("draining", message);
        break;
      case "error":
        this.refusal = message;
        break;
    }
  }

  lost(code) {
    this.credits = 0;
    this.giveUp();
    if (this.closed) return;
    if (code === 1009) this.refusal ??= { error: "message_too_large", message: "The picture is too large for this server." };
    if (this.refusal && FINAL.includes(this.refusal.error)) {
      this.tell("refused", this.refusal);
      return;
    }
    const pause = Math.max(this.pause, 1000 * (this.refusal?.retry_after_s ?? 0));
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
    this.tell("lost", this.refusal);
    this.timer = setTimeout(() => this.open(), pause * (0.8 + 0.4 * Math.random()));
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
