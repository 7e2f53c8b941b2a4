// Whether a site is armed, now; and the clock of its test.
import {api} from "/api.js";
import {button, element, section} from "/dom.js";
import {repeat} from "/live.js";
import {attempt, say} from "/page.js";
import {fill, texts} from "/texts.js";

const words = texts.armed;

function stateOf({armed, known, since}) {
	const state = armed ? words.armed : words.disarmed;
	return known ? fill(words.since, {state, time: new Date(since).toLocaleString()}) : words.unknown;
}

class Armed extends HTMLElement {
	#end = null;
	#areas = element("div", {role: "status"});

	connectedCallback() {
		const may = "may" in this.dataset;
		this.replaceChildren(this.#areas, ...may ? [element("div", {class: "row"}, this.#order("arm"), this.#order("disarm"))] : []);
		this.#end = repeat(5, () => this.#load());
	}

	disconnectedCallback() {
		this.#end();
	}

	async #load() {
		const areas = await api.items(`/sites/${this.dataset.site}/armed`).catch((refusal) => {
			this.#areas.replaceChildren(element("p", {class: "hint"}, refusal.message));
			return null;
		});
		if (areas)
			this.#areas.replaceChildren(...areas.map((area) => element("p", {class: area.armed ? "is-armed" : "is-disarmed"},
				`${fill(words.area[area.area], area)}: ${stateOf(area)}`)));
	}

	#order(command) {
		return button(words[command], () => attempt(async () => {
			const {event} = await api.post(`/sites/${this.dataset.site}/${command}`);
			await this.#load();
			say(fill(words.done, {state: command === "arm" ? words.armed : words.disarmed, event}), true);
		}));
	}
}

customElements.define("tocsin-armed", Armed);

export function armedSection(site, mayChange) {
	return section(words.title, element("tocsin-armed", {"data-site": site.id, "data-may": mayChange}));
}

// How long a test still goes on.
class Clock extends HTMLElement {
	#end = null;

	connectedCallback() {
		this.setAttribute("role", "timer");
		this.#end = repeat(1, () => this.#show());
	}

	disconnectedCallback() {
		this.#end();
	}

	#show() {
		const until = new Date(this.dataset.until), seconds = Math.floor((until - Date.now()) / 1000);
		const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
		this.textContent = seconds > 0 ? fill(texts.test.running, {until: until.toLocaleString(), left}) : texts.test.over;
	}
}

customElements.define("tocsin-clock", Clock);
