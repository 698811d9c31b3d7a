// Shows openapi.json to people.
const place = document.getElementById("paths");
const document_ = await (await fetch("/openapi.json")).json();
const bearer = document_.security ? "-H 'authorization: Bearer TOKEN' " : "";

for (const [path, operations] of Object.entries(document_.paths)) {
  for (const [verb, operation] of Object.entries(operations)) {
    const heading = make("h2", "");
    heading.append(make("span", verb.toUpperCase(), "verb"), path);
    place.append(heading, make("p", operation.summary));
    if (operation.description) place.append(make("p", operation.description));
    const picture = verb === "post" ? "-F image=@photo.jpg " : "";
    place.append(code(`curl ${operation.security ? "" : bearer}${picture}${location.origin}${path}`));
    if (operation.parameters) {
      place.append(make("h3", "Query"), table(["name", "type", "default", "meaning"], operation.parameters.map((one) => [one.name, one.schema.type, one.schema.default ?? "", one.description])));
    }
    place.append(make("h3", "Answers"), table(["status", "meaning"], Object.entries(operation.responses).map(([status, { description }]) => [status, description])));
  }
}
place.append(make("h2", "Schemas"));
for (const [name, schema] of Object.entries(document_.components.schemas)) place.append(make("h3", name), code(JSON.stringify(schema, null, 2)));

// What stands between backticks is code.
function make(kind, text, className = "") {
  const made = document.createElement(kind);
  text.split("`").forEach((part, index) => {
    if (index % 2) made.append(make("code", part));
    else if (part) made.append(part);
  });
  if (className) made.className = className;
  return made;
}

// Scrolls, also by keyboard.
function wide(content) {
  const region = make("div", "", "wide");
  Object.assign(region, { tabIndex: 0, role: "group", ariaLabel: content.tagName === "PRE" ? "Code" : "Table" });
  region.append(content);
  return region;
}

function code(text) {
  return wide(make("pre", text));
}

function table(heads, rows) {
  const made = document.createElement("table"), head = made.createTHead().insertRow();
  for (const name of heads) head.append(make(name ? "th" : "td", name));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const cell of row) line.append(make("td", String(cell)));
  }
  return wide(made);
}
