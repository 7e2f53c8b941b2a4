// The customers: a page at a time, or what a search finds.
import {api} from "/api.js";
import {hasDraft} from "/draft.js";
import {button, element, table} from "/dom.js";
import {input, select} from "/field.js";
import {attempt, goTo, say, whenTyped} from "/page.js";
import {fill, texts} from "/texts.js";

class Customers extends HTMLElement {
	#asked = 0; // answers to what is not wanted any more are dropped
	#next = null;
	#list = table(texts.customers.title, [
		{text: texts.customers.name}, {text: texts.customers.place, class: "spare"},
		{text: texts.customers.account}, {text: texts.customers.station, class: "spare"},
		{text: texts.customers.security}]);
	#more = button(texts.customers.more, () => attempt(() => this.#load(true)), {class: "away"});
	#form = element("form", {role: "search", class: "row"},
		input("q", texts.customers.search, {type: "search"}, texts.customers.searchHint),
		select("state", texts.customers.state, [{value: "", text: texts.customers.every},
			{value: "active", text: texts.customers.active}, {value: "inactive", text: texts.customers.inactive}], ""));
	#count = element("p", {role: "status"});

	connectedCallback() {
		const mayAdd = api.user.writes_sites;
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.#search();
		});
		whenTyped(this.#form, () => this.#load(false));
		this.replaceChildren(element("div", {class: "head"}, element("h2", {tabindex: -1}, texts.customers.title),
			mayAdd ? element("div", {class: "row tight"}, button(texts.customers.import, () => goTo("import")), button(hasDraft() ? texts.customers.resume : texts.customers.add, () => goTo("new/place"),
				{id: "add-customer", class: "main"})) : null),
			this.#form, this.#list, this.#count, this.#more);
		this.#search();
	}

	#search() {
		attempt(() => this.#load(false));
	}

	#path(further) {
		const {q, state} = this.#form.elements;
		const wanted = new URLSearchParams();
		state.disabled = q.value.trim() !== "";
		if (state.disabled)
			return `/sites/search?${new URLSearchParams({q: q.value.trim()})}`;
		if (further)
			wanted.set("after", this.#next);
		if (state.value)
			wanted.set("state", state.value);
		return `/sites?${wanted}`;
	}

	async #load(further) {
		const asked = ++this.#asked;
		const page = await api.get(this.#path(further));
		const body = this.#list.tBodies[0];
		if (asked !== this.#asked)
			return;
		if (!further)
			body.replaceChildren();
		page.items.forEach((site) => this.#add(body, site));
		this.#next = page.next ?? null;
		this.#more.classList.toggle("away", !this.#next);
		this.#count.textContent = body.rows.length ? fill(texts.customers.found, {count: body.rows.length})
			: texts.customers.none;
		say("");
	}

	#add(body, site) {
		body.append(element("tr", {}, element("th", {scope: "row"}, element("a", {href: `#/site/${site.id}`}, site.name)),
			element("td", {class: "spare"}, [site.address1, site.city].filter(Boolean).join(", ")),
			element("td", {}, site.effective_account ?? ""), element("td", {class: "spare"}, site.station ?? ""),
			element("td", {}, site.security)));
	}
}

customElements.define("tocsin-customers", Customers);
