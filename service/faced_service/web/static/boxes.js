// Boxes, points and labels on a canvas; blurred faces.
import { personColour } from "./palette.js";
import { number, short } from "./words.js";

const NARROW = 480;

// `scale` is canvas pixels for each pixel of the picture, `unit` canvas pixels for each CSS pixel.
export function drawFaces(context, faces, { scale, unit, mirroredWidth = null, points = true }) {
  const places = faces.map((face, index) => {
    const { left, top, right, bottom } = face.box;
    const x = (mirroredWidth === null ? left : mirroredWidth - right) * scale;
    return { face, who: number(face, index), x, y: top * scale, width: (right - left) * scale, height: (bottom - top) * scale };
  });
  for (const { face, who, x, y, width, height } of places) {
    corners(context, x, y, width, height, personColour(who), unit);
    for (const [px, py] of points ? face.landmarks : []) {
      context.fillStyle = personColour(who);
      context.beginPath();
      context.arc((mirroredWidth === null ? px : mirroredWidth - px) * scale, py * scale, 2.2 * unit, 0, 7);
      context.fill();
    }
  }
  // After all boxes, so that no corner lies on words.
  const taken = places.map(({ x, y, width, height }) => ({ left: x, top: y, right: x + width, bottom: y + height }));
  const brief = context.canvas.width < NARROW * unit;
  places.forEach(({ face, who, x, y, height }, index) => label(context, `#${who}`, short(face, brief), { x, y, height }, personColour(who), unit, taken, index));
}

function corners(context, x, y, width, height, colour, unit) {
  const arm = Math.min(width, height) * 0.26, round = Math.min(10 * unit, arm);
  for (const [style, line] of [["rgb(0 0 0 / 45%)", 5.5 * unit], [colour, 3 * unit]]) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.lineCap = "round";
    context.beginPath();
    for (const [cx, cy, sx, sy] of [[x, y, 1, 1], [x + width, y, -1, 1], [x + width, y + height, -1, -1], [x, y + height, 1, -1]]) {
      context.moveTo(cx, cy + sy * arm);
      context.lineTo(cx, cy + sy * round);
      context.quadraticCurveTo(cx, cy, cx + sx * round, cy);
      context.lineTo(cx + sx * arm, cy);
    }
    context.stroke();
  }
}

function label(context, who, text, { x, y, height }, colour, unit, taken, own) {
  const size = 13 * unit, pad = 7 * unit, tall = size + 9 * unit, gap = 7 * unit;
  context.font = `600 ${size}px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;
  const whoWide = context.measureText(who).width + 2 * pad;
  const wide = whoWide + (text ? context.measureText(text).width + 2 * pad : 0);
  const { width: most, height: lowest } = context.canvas;
  const left = Math.max(2 * unit, Math.min(x, most - wide - 2 * unit));
  // Above the box where there is room, else below it, then further up and down, so that no face and no label is hidden.
  const tops = [y - tall - gap, y + height + gap, y - 2 * tall - 1.5 * gap, y + height + tall + 1.5 * gap];
  const free = (top) => top >= 0 && top + tall <= lowest && taken.every((other, index) => index === own || left >= other.right || left + wide <= other.left || top >= other.bottom || top + tall <= other.top);
  const top = tops.find(free) ?? Math.max(0, Math.min(tops[0] >= 0 ? tops[0] : tops[1], lowest - tall - 2 * unit));
  taken.push({ left, top, right: left + wide, bottom: top + tall });
  context.fillStyle = "rgb(10 13 18 / 78%)";
  context.beginPath();
  context.roundRect(left, top, wide, tall, 6 * unit);
  context.fill();
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(left, top, whoWide, tall, 6 * unit);
  context.fill();
  context.textBaseline = "middle";
  context.fillStyle = "#0a0d12";
  context.fillText(who, left + pad, top + tall / 2 + unit);
  context.fillStyle = "#fff";
  context.fillText(text, left + whoWide + pad, top + tall / 2 + unit);
}

const tiny = document.createElement("canvas");

// Replaces each face by a few mean colours, with a margin for hair and chin; `source` is the picture itself.
export function blurFaces(context, source, faces, { scale, mirroredWidth = null }) {
  for (const { box } of faces) {
    const margin = (box.right - box.left) * 0.22;
    const left = Math.max(0, box.left - margin), top = Math.max(0, box.top - 1.6 * margin);
    const width = Math.min(source.width, box.right + margin) - left;
    const height = Math.min(source.height, box.bottom + margin) - top;
    if (width < 1 || height < 1) continue;
    tiny.width = 7;
    tiny.height = 8;
    const small = tiny.getContext("2d");
    small.imageSmoothingQuality = "high";
    small.drawImage(source, left, top, width, height, 0, 0, 7, 8);
    const x = (mirroredWidth === null ? left : mirroredWidth - left - width) * scale;
    context.save();
    context.beginPath();
    context.ellipse(x + (width * scale) / 2, (top + height / 2) * scale, (width * scale) / 2, (height * scale) / 2, 0, 0, 7);
    context.clip();
    context.drawImage(tiny, x, top * scale, width * scale, height * scale);
    context.restore();
  }
}
