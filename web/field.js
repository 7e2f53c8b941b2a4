// Form fields: a label, the control, a hint, and room for what is refused, so
// that nothing moves when it is.
import {element} from "/dom.js";

let count = 0;

export function field(name, label, control, hint) {
	const id = `field-${++count}`;
	const refused = element("p", {class: "refused", id: `${id}-refused`});
	control.id = id;
	control.name = name;
	control.setAttribute("aria-describedby", hint ? `${id}-hint ${id}-refused` : `${id}-refused`);
	control.addEventListener("input", () => clearRefusal(control));
	return element("div", {class: "field", "data-field": name}, element("label", {for: id}, label), control,
		hint ? element("p", {class: "hint", id: `${id}-hint`}, hint) : null, refused);
}

export function input(name, label, attributes = {}, hint = null) {
	return field(name, label, element("input", {autocomplete: "off", ...attributes}), hint);
}

// choices: of value and text.
export function select(name, label, choices, chosen, hint = null) {
	const options = choices.map(({value, text}) =>
		element("option", {value, selected: String(value) === String(chosen ?? "")}, text));
	return field(name, label, element("select", {}, ...options), hint);
}

function options(type, name, legend, choices, isChosen) {
	return element("fieldset", {class: "choice", "data-field": name}, element("legend", {}, legend),
		...choices.map(({value, text, sentence}) => element("label", {},
			element("input", {type, name, value, checked: isChosen(value)}),
			element("span", {}, element("strong", {}, text), sentence ? element("span", {class: "hint"}, sentence) : null))),
		element("p", {class: "refused", role: "alert"}));
}

// One of several, each with a sentence. choices: of value, text and sentence.
export function choice(name, legend, choices, chosen) {
	return options("radio", name, legend, choices, (value) => value === chosen);
}

// Any of several. chosen: a list.
export function choices(name, legend, several, chosen) {
	return options("checkbox", name, legend, several, (value) => chosen.includes(value));
}

function roomOf(place) {
	return place.querySelector(".refused");
}

function clearRefusal(control) {
	control.removeAttribute("aria-invalid");
	roomOf(control.closest("[data-field]")).textContent = "";
}

// Says at the field what is wrong with it and goes there; false: no such field.
export function refuse(form, name, sentence) {
	const place = [...form.querySelectorAll("[data-field]")].find((one) => one.dataset.field === name);
	if (!place)
		return false;
	const control = place.querySelector("input, select, textarea");
	roomOf(place).textContent = sentence;
	control.setAttribute("aria-invalid", "true");
	control.focus();
	return true;
}

// What the browser itself knows to be wrong, at the first such field.
export function check(form) {
	for (const control of form.elements)
		if (control.name && !control.checkValidity())
			return !refuse(form, control.name, control.validationMessage);
	return true;
}

// The values of a form by name; empty ones are null.
export function valuesOf(form) {
	const values = {};
	for (const [name, value] of new FormData(form))
		values[name] = value.trim() === "" ? null : value.trim();
	return values;
}

export function numberOf(value) {
	return value === null || value === undefined || value === "" ? null : Number(value);
}
