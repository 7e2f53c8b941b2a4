// Who changed what, newest first.
import {api} from "/api.js";
import {button, describe, element, listing, time} from "/dom.js";
import {attempt} from "/page.js";
import {fill, texts} from "/texts.js";

const said = (value) => value === null || value === undefined ? texts.audit.nothing
	: typeof value === "string" ? value : JSON.stringify(value);

// Of a new or a gone row what is in it, of a changed one what differs.
function differences({old: before, new: after}) {
	if (!before || !after)
		return Object.entries(after ?? before).filter(([, value]) => value !== null && value !== "")
			.map(([name, value]) => [name, said(value)]);
	return Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]))
		.map((name) => [name, fill(texts.audit.change, {old: said(before[name]), new: said(after[name])})]);
}

function what(row) {
	const title = fill(texts.audit.actions[row.action], {table: row.table_name.replaceAll("_", " "), key: row.row_key});
	const more = element("details", {}, element("summary", {}, title));
	more.addEventListener("toggle", () => {
		if (more.open && more.childElementCount === 1)
			more.append(describe(differences(row)));
	});
	return more;
}

class Audit extends HTMLElement {
	#next = null;
	#list = element("div");
	#older = button(texts.history.more, () => attempt(() => this.#load()), {class: "away"});

	async connectedCallback() {
		this.replaceChildren(element("h2", {tabindex: -1}, texts.audit.title), element("p", {class: "hint"}, texts.audit.hint),
			this.#list, element("div", {class: "row"}, this.#older));
		await attempt(() => this.#load());
	}

	async #load() {
		const page = await api.get(this.#next ? `/audit?${new URLSearchParams({before: this.#next})}` : "/audit");
		const rows = listing(texts.audit.title, [
			{text: texts.audit.at, show: (row) => time(row.at)},
			{text: texts.audit.actor, show: (row) => row.actor},
			{text: texts.audit.what, show: what}], page.items);
		if (this.#list.childElementCount)
			this.#list.querySelector("tbody").append(...rows.querySelector("tbody").rows);
		else
			this.#list.append(rows);
		this.#next = page.next ?? null;
		this.#older.classList.toggle("away", !this.#next);
	}
}

customElements.define("tocsin-audit", Audit);
