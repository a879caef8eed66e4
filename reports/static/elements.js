// Making elements. Text only ever enters as text, so no name can become markup.

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  return fill(made, attributes, children);
}

export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  return fill(made, attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function modelSign(data, index) {
  const path = data.shapes[index % data.shapes.length];
  return drawing(
    "svg",
    { class: `sign c${index % 8}`, viewBox: "-6 -6 12 12", "aria-hidden": "true" },
    drawing("path", { d: path }),
  );
}

export function modelName(data, index) {
  return element("bdi", { class: "name" }, data.models[index].name);
}

let fields = 0;

export function labelled(label, control) {
  fields += 1;
  control.id = `field-${fields}`;
  return element("div", { class: "field" }, element("label", { for: control.id }, label), control);
}

export function choice(label, options, selected) {
  const select = element("select");
  for (const [value, text] of options) {
    const option = element("option", { value }, text);
    option.selected = value === selected;
    select.append(option);
  }
  return [labelled(label, select), select];
}
