// Colours: of people by their number, of classes by their name.
const PEOPLE = ["#14b8a6", "#f59e0b", "#8b5cf6", "#ec4899", "#3b82f6", "#84cc16", "#ef4444", "#06b6d4"];
export const personColour = (number) => PEOPLE[(number - 1 + PEOPLE.length) % PEOPLE.length];

const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

// The name of the CSS variable, so that both schemes have their own. Emotions of other networks go by their position,
// other classes have one colour.
export function classVariable(attribute, label, index) {
  if (EMOTIONS.includes(label)) return `--${label}`;
  return attribute === "emotion" ? `--${EMOTIONS[index % EMOTIONS.length]}` : "--accent";
}

export const cssColour = (variable) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
