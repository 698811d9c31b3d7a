// What is said about a face, or a thing that a second detector has a label for, in words for people.
export const percent = (p) => (p > 0.995 ? "> 99 %" : p < 0.005 ? "< 1 %" : `${Math.round(p * 100)} %`);

export const upper = (text) => text[0].toUpperCase() + text.slice(1);

export const title = (attribute) => upper(attribute).replaceAll("_", " ");

const WITHHELD = {
  may_be_minor: "Withheld: the face may be a child's",
  guard_failed: "Withheld: the age could not be told",
};

export const withheld = (reason) => WITHHELD[reason] ?? `Withheld: ${reason.replaceAll("_", " ")}`;

export const isFace = (found) => !found.label;

export const name = (found, index) => `${isFace(found) ? "Face" : upper(found.label)} ${found.track_id == null ? index + 1 : `#${found.track_id}`}`;

export const number = (face, index) => face.track_id ?? index + 1;

export const isNumeric = (value) => value.interval_90 !== undefined;

export const age = (value) => value.years ?? value.expectation;

// A few words for the label of a box; `brief` where there is little room.
export function short(face, brief = false) {
  const words = isFace(face) ? [] : [face.label];
  const { emotion, gender, age: years } = face.attributes;
  if (emotion?.label) words.push(brief ? emotion.label : `${emotion.label} ${percent(emotion.probabilities[emotion.label])}`);
  if (gender?.label && !brief) words.push(gender.label);
  if (years && isNumeric(years)) words.push(brief ? String(Math.round(age(years))) : `${Math.round(age(years))} y`);
  return words.join(" · ");
}

// How many of what: "2 faces, 1 × lamp".
export function counted(found) {
  const faces = found.filter(isFace).length, things = new Map();
  for (const { label } of found) if (label) things.set(label, (things.get(label) ?? 0) + 1);
  const words = [faces === 0 ? "No face" : faces === 1 ? "One face" : `${faces} faces`];
  return [...words, ...[...things].map(([label, count]) => `${count} × ${label}`)].join(", ");
}

// A sentence for those who cannot see the boxes.
export function sentence(found) {
  const each = found.map((one, index) => [name(one, index), isFace(one) ? short(one) : ""].filter(Boolean).join(": "));
  return [counted(found), ...each].join(". ");
}
