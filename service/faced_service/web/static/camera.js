// The browser's camera, and in words why there is none.
export class CameraTrouble extends Error {
  constructor(state, title, text) {
    super(text);
    Object.assign(this, { state, title });
  }
}

// Why there can be no camera at this address at all, null where there can.
export function addressTrouble() {
  if (navigator.mediaDevices?.getUserMedia) return null;
  return new CameraTrouble("insecure", "This address may not use a camera", "Browsers allow cameras over HTTPS, and over plain HTTP on localhost alone. Open the page there, or give the server a certificate. Pictures can be analysed below.");
}

// Plays the camera in `video`; null where it is not `wanted()` any more once the browser gives it. One that is not there
// any more is replaced by any other.
export async function openCamera(video, deviceId, wanted) {
  const none = addressTrouble();
  if (none) throw none;
  const wish = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  if (deviceId) wish.deviceId = { exact: deviceId };
  else wish.facingMode = { ideal: "user" };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
  } catch (error) {
    const why = trouble(error);
    if (deviceId && why.state === "missing") return openCamera(video, "", wanted);
    throw why;
  }
  try {
    if (wanted()) {
      video.srcObject = stream;
      await video.play();
    }
    if (wanted()) return stream;
  } catch (error) {
    if (wanted()) throw (stopAll(stream), error);
  }
  stopAll(stream);
  return null;
}

export function closeCamera(video) {
  stopAll(video.srcObject);
  video.srcObject = null;
}

function stopAll(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput");
}

function trouble(error) {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new CameraTrouble("denied", "The camera is not allowed", "Your browser was told not to give this page the camera. Allow it in the browser's settings for this site, then try again.");
    case "NotFoundError":
    case "OverconstrainedError":
      return new CameraTrouble("missing", "There is no camera", "Connect one and try again. Pictures can be analysed below without any.");
    case "NotReadableError":
    case "AbortError":
      return new CameraTrouble("taken", "The camera cannot be read", "Another program may be using it. Close that, and try again.");
    default:
      return new CameraTrouble("failed", "The camera could not be started", error.message);
  }
}
