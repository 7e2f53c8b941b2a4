// The signals of a site, newest first; each opens to what became of it.
import {api} from "/api.js";
import {button, describe, element, section, table, time} from "/dom.js";
import {attempt} from "/page.js";
import {fill, texts} from "/texts.js";

const verdict = ({verdict: word, reason}) => reason ? `${word}: ${reason}` : word;

function deliveryText({receiver, account, outcomes}) {
	return fill(texts.history.delivery, {receiver, account,
		outcomes: outcomes.map(({state, reason}) => reason ? `${state} (${reason})` : state).join(", ") || texts.history.waiting});
}

function trace(event) {
	const received = fill(texts.history.received, {time: new Date(event.received_at).toLocaleString(),
		peer: event.peer, protocol: event.protocol});
	return element("div", {}, describe([[texts.history.verdict, verdict(event)]]), element("p", {}, received),
		element("ul", {}, ...event.deliveries.length
			? event.deliveries.map((delivery) => element("li", {}, deliveryText(delivery)))
			: [element("li", {}, texts.history.noDelivery)]));
}

class History extends HTMLElement {
	#next = null;
	#list = table(texts.history.title, [{text: texts.history.time}, {text: texts.history.code}, {text: texts.history.zone},
		{text: texts.history.text, class: "spare"}, {text: texts.history.verdict}]);
	#older = button(texts.history.more, () => attempt(() => this.#load(true)), {class: "away"});
	#none = element("p", {role: "status"});

	connectedCallback() {
		this.replaceChildren(element("div", {class: "wide"}, this.#list), this.#none, element("div", {class: "row"},
			button(texts.history.refresh, () => attempt(() => this.#load(false))), this.#older));
		attempt(() => this.#load(false));
	}

	get #path() {
		return `/sites/${this.dataset.site}/events`;
	}

	async #load(older) {
		const page = await api.get(older ? `${this.#path}?${new URLSearchParams({before: this.#next})}` : this.#path);
		const body = this.#list.tBodies[0];
		if (!older)
			body.replaceChildren();
		page.items.forEach((event) => body.append(this.#row(event)));
		this.#next = page.next ?? null;
		this.#older.classList.toggle("away", !this.#next);
		this.#none.textContent = body.rows.length ? "" : texts.history.none;
	}

	#row(event) {
		const more = element("details", {}, element("summary", {"aria-label": `${verdict(event)}. ${fill(texts.history.trace, event)}`},
			verdict(event)));
		more.addEventListener("toggle", () => attempt(async () => {
			if (more.open && more.childElementCount === 1)
				more.append(trace(await api.get(`${this.#path}/${encodeURIComponent(event.event)}`)));
		}));
		return element("tr", {}, element("td", {}, time(event.received_at)),
			element("td", {}, `${event.qualifier ?? ""}${event.code ?? ""}`), element("td", {}, event.zone ?? ""),
			element("td", {class: "spare"}, event.text ?? ""), element("td", {}, more));
	}
}

customElements.define("tocsin-history", History);

export function history(site) {
	return section(texts.history.title, element("tocsin-history", {"data-site": site.id}));
}
