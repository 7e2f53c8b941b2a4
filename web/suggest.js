// Addresses that are offered while one types: of other customers, and what the
// address service finds. By mouse, or by arrow keys, Enter and Escape.
import {api, Refusal} from "/api.js";
import {element} from "/dom.js";
import {input} from "/field.js";
import {texts} from "/texts.js";

const DELAY_MS = 300;
const TEXT_MIN = 3;

class Suggestions {
	#asked = 0; // answers to what is not wanted any more are dropped
	#timer = 0;
	#choose;
	#options = [];
	#active = -1;
	#list = element("ul", {role: "listbox", id: "suggestions", class: "suggestions", "aria-label": texts.suggest.list, hidden: true});
	#input;

	constructor(choose) {
		this.#choose = choose;
		this.element = input("address_search", texts.suggest.label, {type: "search", role: "combobox", "aria-autocomplete": "list",
			"aria-expanded": "false", "aria-controls": "suggestions"}, texts.suggest.hint);
		this.#input = this.element.querySelector("input");
		this.#input.after(this.#list);
		this.element.classList.add("suggesting");
		this.#input.addEventListener("input", () => {
			clearTimeout(this.#timer);
			this.#timer = setTimeout(() => this.#ask(this.#input.value.trim()), DELAY_MS);
		});
		this.#input.addEventListener("keydown", (event) => this.#key(event));
		this.#input.addEventListener("blur", () => this.#show([]));
	}

	async #ask(text) {
		const asked = ++this.#asked;
		const places = [];
		this.#show([]);
		if (text.length < TEXT_MIN)
			return;
		await Promise.all(["known", "found"].map(async (source) => {
			const some = await api.items(`/addresses/${source}?${new URLSearchParams({q: text})}`).catch((problem) => {
				if (!(problem instanceof Refusal))
					throw problem;
				return []; // it is a help, nothing more: one can type
			});
			places.push(...some.map((place) => ({...place, source})));
			if (asked === this.#asked && document.activeElement === this.#input)
				this.#show(places);
		}));
	}

	#show(places) {
		this.#active = -1;
		this.#options = places;
		this.#list.replaceChildren(...places.map((place, index) => element("li", {role: "option", id: `suggestion-${index}`,
			"aria-selected": "false", onmousedown: (event) => { // before the field loses the focus
				event.preventDefault();
				this.#take(index);
			}}, place.label, element("span", {class: "hint"}, texts.suggest[place.source]))));
		this.#list.hidden = places.length === 0;
		this.#input.setAttribute("aria-expanded", String(places.length > 0));
		this.#input.removeAttribute("aria-activedescendant");
	}

	#key(event) {
		const steps = {ArrowDown: 1, ArrowUp: -1};
		const count = this.#options.length;
		if (event.key === "Escape" && count) {
			event.preventDefault();
			this.#show([]);
		} else if (event.key === "Enter" && this.#active >= 0) {
			event.preventDefault();
			this.#take(this.#active);
		} else if (steps[event.key] && count) {
			event.preventDefault();
			this.#active = (this.#active + steps[event.key] + count + (this.#active < 0 && event.key === "ArrowUp" ? 1 : 0)) % count;
			[...this.#list.children].forEach((option, index) =>
				option.setAttribute("aria-selected", String(index === this.#active)));
			this.#input.setAttribute("aria-activedescendant", `suggestion-${this.#active}`);
		}
	}

	#take(index) {
		const place = this.#options[index];
		this.#show([]);
		this.#input.value = "";
		this.#choose(place);
	}
}

// choose(place) gets what was chosen, by the API's names.
export function addressSuggestions(choose) {
	return new Suggestions(choose).element;
}
