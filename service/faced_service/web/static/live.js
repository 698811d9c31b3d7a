// The live camera from its start to its end: camera, pictures, socket, what is shown.
import { token } from "./api.js";
import { addressTrouble, CameraTrouble, closeCamera, listCameras, openCamera } from "./camera.js";
import { Capture } from "./capture.js";
import { Connection } from "./connection.js";
import { Meters, METERS_EVERY_MS } from "./meters.js";
import { askForToken } from "./token_dialog.js";
import { sentence, upper } from "./words.js";

const SPEAK_EVERY_MS = 4_000;
const CROWDED = ["overloaded", "quota"];

export class Live {
  // `learn()` asks anew what the server allows; `onChange(cameras, starting)`: those there are while one runs, else null,
  // and whether one is about to.
  constructor({ stage, cards, timeline, settings, pill, spoken, empty, learn, onChange }) {
    Object.assign(this, { stage, cards, timeline, settings, pill, spoken, empty, learn, onChange });
    this.meters = new Meters(document);
    this.spokenAt = 0;
    this.connected = this.paused = this.starting = false;
    // A later start or stop ends an earlier start, however long the browser asks.
    this.attempt = 0;
    stage.forgotten = () => this.people([]);
    settings.addEventListener("change", () => this.connection?.restart());
    addEventListener("pagehide", () => this.stop());
  }

  get running() {
    return this.starting || Boolean(this.connection);
  }

  async start(deviceId) {
    this.stop();
    const mine = this.attempt, wanted = () => mine === this.attempt;
    this.starting = true;
    this.onChange(null, true);
    this.state("waiting", "Asking for the camera");
    this.stage.tell("Allow the camera", "Your browser asks whether this page may use it.");
    try {
      const stream = await openCamera(this.stage.video, deviceId, wanted);
      if (!stream) return;
      const [track] = stream.getVideoTracks();
      // The one at the back of a phone shows the world, and is no mirror.
      this.stage.set({ mirror: track.getSettings().facingMode !== "environment" && (this.settings.kept.mirror ?? true) });
      track.addEventListener("ended", () => wanted() && this.fail(new CameraTrouble("missing", "The camera is gone", "It was unplugged or switched off. Connect it and start again.")));
      track.addEventListener("mute", () => wanted() && this.pause());
      track.addEventListener("unmute", () => wanted() && this.goOn());
    } catch (error) {
      if (wanted()) this.fail(error instanceof CameraTrouble ? error : new CameraTrouble("failed", "The camera could not be started", error.message));
      return;
    }
    this.starting = false;
    this.stage.quiet();
    this.stage.fit();
    this.state("waiting", "Connecting");
    this.connection = new Connection(() => ({ ...this.settings.start, ...(token() && { token: token() }) }));
    this.capture = new Capture(this.stage.video, this.connection);
    this.connection.addEventListener("started", () => this.started());
    this.connection.addEventListener("frame", ({ detail }) => this.frame(detail));
    this.connection.addEventListener("draining", () => this.lost("The server is stopping", "This page goes on as soon as it is there again."));
    this.connection.addEventListener("lost", ({ detail }) =>
      detail
        ? this.lost(CROWDED.includes(detail.error) ? "The server is full" : "The server refuses for now", `${upper(detail.message)}. This page keeps trying.`)
        : this.silent(),
    );
    this.connection.addEventListener("refused", ({ detail }) => this.refused(detail));
    this.ticker = setInterval(() => this.tick(), METERS_EVERY_MS);
    const cameras = await listCameras();
    if (wanted()) this.onChange(cameras, false);
  }

  stop() {
    this.attempt++;
    clearInterval(this.ticker);
    this.connected = this.paused = this.starting = false;
    this.capture?.stop();
    this.connection?.close();
    this.capture = this.connection = null;
    closeCamera(this.stage.video);
    this.people([]);
    this.stage.clear();
    this.stage.warn("");
    this.meters.reset();
    const none = addressTrouble();
    this.state(none ? "bad" : "idle", none ? "No camera here" : "Camera off");
    if (none) this.stage.tell(none.title, none.message);
    else this.stage.tell("See what faces show", "Start the camera: boxes, and how probable each emotion, age and gender looks. Pictures stay in the server's memory until they are answered, and are gone.");
    this.onChange(null, false);
  }

  started() {
    this.connected = true;
    this.learnt = false;
    if (this.paused) return this.pause();
    this.stage.quiet();
    this.state("live", "Live");
    this.capture.send();
  }

  frame({ message, note }) {
    const capture = this.capture;
    if (!capture) return;
    capture.answered(note, message, (picture) => {
      if (message.error) {
        this.stage.warn(upper(message.message));
        return;
      }
      // Left out by the server for a newer one; or the camera is paused since.
      if (message.dropped || this.paused) return;
      const took = performance.now() - note.began;
      this.stage.show(message, picture, took);
      this.meters.answered(performance.now() - note.began, message.timing_ms.total);
      this.people(message.faces);
    });
  }

  people(faces) {
    this.cards.show(faces);
    this.timeline.add(faces);
    this.empty.hidden = faces.length > 0;
    const now = performance.now();
    if (this.running && now - this.spokenAt > SPEAK_EVERY_MS) {
      const words = sentence(faces);
      if (words !== this.spoken.textContent) this.spoken.textContent = words;
      this.spokenAt = now;
    }
  }

  // Phones give one program the camera at a time.
  pause() {
    this.paused = true;
    this.people([]);
    this.stage.clear();
    this.meters.reset();
    this.state("waiting", "Camera paused");
    this.stage.tell("The camera is paused", "Another program or tab may be using it. This page goes on by itself.", { over: true, icon: false });
  }

  goOn() {
    this.paused = false;
    if (this.connected) this.stage.quiet();
    else this.silent();
  }

  tick() {
    if (!this.connected || this.paused) return;
    // The words stay the same, since they are read out; the numbers are beside them.
    const busy = this.meters.show(this.capture.rate);
    this.state(busy ? "busy" : "live", busy ? "Overloaded" : "Live");
  }

  silent() {
    this.lost("The server does not answer", "This page keeps trying, and goes on by itself.");
  }

  lost(title, text) {
    this.connected = false;
    this.people([]);
    this.stage.clear();
    this.meters.reset();
    this.state("waiting", "Reconnecting");
    this.stage.tell(title, text, { over: true, icon: false });
  }

  async refused({ error, message }) {
    const camera = this.stage.video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
    if (error === "unauthenticated") {
      this.state("bad", "Token needed");
      if (await askForToken(`${upper(message)}.`)) return this.start(camera);
      return this.stop();
    }
    if (["forbidden_attribute", "unknown_attribute"].includes(error) && !this.learnt) {
      // What it allows has changed since this page was opened.
      this.learnt = true;
      await this.learn();
      await this.start(camera);
      this.stage.warn(`${upper(message)}.`);
      return;
    }
    this.fail(new CameraTrouble("refused", error === "forbidden_attribute" ? "Not allowed on this server" : "The server refuses", `${upper(message)}.`));
  }

  fail(trouble) {
    this.stop();
    this.state("bad", trouble.title);
    this.stage.tell(trouble.title, trouble.message);
    document.body.dataset.trouble = trouble.state;
  }

  state(state, text) {
    if (this.pill.textContent !== text) this.pill.textContent = text;
    this.pill.dataset.state = state;
    delete document.body.dataset.trouble;
  }
}
