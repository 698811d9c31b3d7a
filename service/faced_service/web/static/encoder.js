// Makes JPEG of pictures, one after the other, in a thread of its own: on the page's, drawing comes first.
let canvas = null, context = null;

onmessage = async ({ data: { number, picture, quality } }) => {
  const { width, height } = picture;
  if (canvas?.width !== width || canvas.height !== height) {
    canvas = new OffscreenCanvas(width, height);
    context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }
  context.drawImage(picture, 0, 0);
  picture.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
  const bytes = await blob.arrayBuffer();
  postMessage({ number, bytes }, [bytes]);
};
