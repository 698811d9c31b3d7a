// A card for each face: bars of every distribution, updated in place.
import { classVariable, personColour } from "./palette.js";
import { age, isNumeric, name, number, percent, title, withheld } from "./words.js";

export class FaceCards {
  constructor(place) {
    this.place = place;
    this.cards = new Map();
  }

  show(faces) {
    const seen = new Set();
    // By number, so that nobody jumps about.
    const people = faces.map((face, index) => ({ face, index, key: number(face, index) })).sort((a, b) => a.key - b.key);
    people.forEach(({ face, index, key }, place) => {
      seen.add(key);
      if (!this.cards.has(key)) this.cards.set(key, new Card(key));
      const card = this.cards.get(key);
      card.show(face, index);
      if (this.place.children[place] !== card.root) this.place.insertBefore(card.root, this.place.children[place] ?? null);
    });
    for (const [key, card] of this.cards) {
      if (!seen.has(key)) {
        card.root.remove();
        this.cards.delete(key);
      }
    }
  }
}

class Card {
  constructor(key) {
    this.root = element("article", "card face");
    this.root.style.setProperty("--who", personColour(key));
    const head = element("header"), spot = element("i", "spot");
    this.title = element("h3");
    this.size = element("span");
    head.append(spot, this.title, this.size);
    this.root.append(head);
    this.attributes = new Map();
  }

  show(face, index) {
    setText(this.title, name(face, index));
    setText(this.size, `${Math.round(face.box.right - face.box.left)} px wide`);
    for (const [attribute, value] of Object.entries(face.attributes)) {
      const kind = kindOf(value);
      let block = this.attributes.get(attribute);
      if (block?.kind !== kind) {
        const fresh = { kind, ...BLOCKS[kind](attribute, value) };
        if (block) block.root.replaceWith(fresh.root);
        else this.root.append(fresh.root);
        this.attributes.set(attribute, (block = fresh));
      }
      block.update(value);
    }
    for (const [attribute, block] of this.attributes) {
      if (!(attribute in face.attributes)) {
        block.root.remove();
        this.attributes.delete(attribute);
      }
    }
  }
}

const kindOf = (value) => {
  if (value.withheld !== undefined || value.error !== undefined) return "missing";
  if (isNumeric(value)) return "numbers";
  // Ranges such as 15-22 are an axis with an order.
  return Object.keys(value.probabilities).every((label) => /^\d/.test(label)) ? "ranges" : "classes";
};

const BLOCKS = {
  missing(attribute) {
    const root = block(attribute);
    const note = element("p", "withheld");
    root.append(note);
    return {
      root,
      update: (value) => setText(note, value.withheld ? withheld(value.withheld) : `Failed: ${value.error.replaceAll("_", " ")}`),
    };
  },
  classes(attribute, value) {
    const root = block(attribute);
    const rows = Object.keys(value.probabilities).map((label, index) => {
      const row = element("div", "row"), word = element("span"), rail = element("div", "rail"), bar = element("i"), share = element("span");
      word.textContent = label;
      bar.style.setProperty("--bar", `var(${classVariable(attribute, label, index)})`);
      rail.append(bar);
      row.append(word, rail, share);
      root.append(row);
      return { label, bar, share };
    });
    return {
      root,
      update(value) {
        for (const { label, bar, share } of rows) {
          const p = value.probabilities[label];
          bar.style.transform = `scaleX(${p.toFixed(3)})`;
          setText(share, percent(p));
        }
      },
    };
  },
  ranges(attribute, value) {
    const root = block(attribute), top = element("b"), columns = element("div", "columns wide"), ends = element("div", "ends all");
    root.firstChild.append(top);
    const labels = Object.keys(value.probabilities);
    const bars = labels.map(() => columns.appendChild(element("i")));
    for (const label of labels) ends.appendChild(element("span")).textContent = label.replace("-", "–");
    columns.ariaHidden = "true";
    root.append(columns, ends);
    return {
      root,
      update(value) {
        setText(top, `${value.label.replace("-", "–")} (${percent(value.probabilities[value.label])})`);
        labels.forEach((label, index) => (bars[index].style.transform = `scaleY(${value.probabilities[label].toFixed(3)})`));
      },
    };
  },
  numbers(attribute, value) {
    const root = block(attribute), mean = element("b"), span = element("small"), columns = element("div", "columns"), ends = element("div", "ends");
    root.firstChild.append(mean, span);
    const labels = Object.keys(value.probabilities);
    const bars = labels.map(() => columns.appendChild(element("i")));
    for (const label of [labels[0], labels[Math.floor(labels.length / 2)], labels.at(-1)]) ends.appendChild(element("span")).textContent = label;
    columns.ariaHidden = "true";
    root.append(columns, ends);
    return {
      root,
      update(value) {
        const [low, high] = value.interval_90;
        setText(mean, String(Math.round(age(value))));
        setText(span, `9 of 10: ${low}–${high}`);
        const most = Math.max(...Object.values(value.probabilities));
        labels.forEach((label, index) => (bars[index].style.transform = `scaleY(${(value.probabilities[label] / most).toFixed(3)})`));
      },
    };
  },
};

function block(attribute) {
  const root = element("div", "attribute");
  root.dataset.attribute = attribute;
  root.append(element("h4"));
  root.firstChild.textContent = title(attribute);
  return root;
}

function element(kind, className) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  return made;
}

// Untouched text costs no layout, and is not read out again.
function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
