import {texts} from "/texts.js";

// Elements from names, attributes and children. Children are nodes or text:
// nothing is ever read as markup, whatever a customer is called.
export function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [attribute, value] of Object.entries(attributes)) {
		if (attribute.startsWith("on"))
			made.addEventListener(attribute.slice(2), value);
		else if (value !== false && value !== null && value !== undefined)
			made.setAttribute(attribute, value === true ? "" : value);
	}
	made.append(...children.filter((child) => child !== null && child !== undefined));
	return made;
}

export function button(text, press, attributes = {}) {
	return element("button", {type: "button", onclick: press, ...attributes}, text);
}

export function section(title, ...parts) {
	return element("section", {class: "part", "aria-label": title}, element("h3", {tabindex: -1}, title), ...parts);
}

// A table whose headings are the texts of columns; rows go into its tBodies[0].
export function table(caption, columns) {
	const headings = columns.map((column) => element("th", {scope: "col", class: column.class}, column.text));
	return element("table", {}, element("caption", {class: "unseen"}, caption),
		element("thead", {}, element("tr", {}, ...headings)), element("tbody"));
}

// Rows of things. columns: of text and show(item), which gives text or a node;
// spare ones are left out where it is narrow, those called actions where nobody
// has any; the first one names the row.
export function listing(caption, columns, items) {
	const rows = items.map((item) => columns.map(({show}) => show(item) ?? null));
	const shown = columns.map(({text}, number) => text !== texts.form.actions || rows.some((row) => row[number] !== null));
	const list = table(caption, columns.map(({text, spare}) => ({text, class: spare && "spare"})).filter((_, number) => shown[number]));
	for (const row of rows)
		list.tBodies[0].append(element("tr", {}, ...row.map((cell, number) => element(number ? "td" : "th",
			{scope: !number && "row", class: columns[number].spare && "spare"}, cell ?? "")).filter((_, number) => shown[number])));
	return wide(caption, list);
}

// A table that may be wider than the page. reachable: something in it takes the
// focus, so that it can be scrolled by keyboard; else it does itself.
export function wide(caption, list, reachable = Boolean(list.querySelector("a, button, input, summary"))) {
	return element("div", {class: "wide", ...reachable ? {} : {tabindex: 0, role: "region", "aria-label": caption}}, list);
}

export function describe(pairs) {
	return element("dl", {}, ...pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
		.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))));
}

export function time(iso) {
	return iso ? element("time", {datetime: iso}, new Date(iso).toLocaleString()) : "";
}
