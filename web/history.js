// The signals of a site, newest first; each opens to what became of it.
import {api, Refusal} from "/api.js";
import {button, describe, element, section, table, time} from "/dom.js";
import {follow} from "/live.js";
import {attempt} from "/page.js";
import {fill, texts} from "/texts.js";

const verdict = ({verdict: word, reason}) => reason ? `${texts.verdicts[word] ?? word}: ${reason}` : texts.verdicts[word] ?? word;

function tell(summary, event) {
	summary.textContent = verdict(event);
	summary.setAttribute("aria-label", `${verdict(event)}. ${fill(texts.history.trace, event)}`);
}

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
	#state = element("span", {class: "badge", hidden: true});
	#stop = null;

	connectedCallback() {
		this.#stop = follow(`/sites/${this.dataset.site}/signals`, {
			signals: (items) => items.forEach((signal) => this.#hear(signal)),
			lost: () => attempt(() => this.#load(false)),
			state: (connected) => {
				this.#state.hidden = false;
				this.#state.textContent = connected ? texts.live.on : texts.live.off;
				this.#state.classList.toggle("live", connected);
			}});
		this.replaceChildren(this.#state, element("div", {class: "wide"}, this.#list), this.#none, element("div", {class: "row"},
			button(texts.history.refresh, () => attempt(() => this.#load(false))), this.#older));
		attempt(() => this.#load(false));
	}

	disconnectedCallback() {
		this.#stop?.();
	}

	// A decision is a row, as it will be in the history; an outcome says what
	// became of one.
	#hear(signal) {
		const body = this.#list.tBodies[0];
		const known = [...body.rows].find((row) => row.dataset.event === signal.event);
		const event = {event: signal.event, received_at: signal.time, code: signal.code, zone: signal.zone, text: signal.text,
			verdict: signal.state ?? signal.verdict, reason: signal.reason};
		if (known)
			tell(known.querySelector("summary"), event);
		else if (signal.kind === "decision")
			body.prepend(this.#heard(event));
		this.#none.textContent = body.rows.length ? "" : texts.history.none;
	}

	#heard(event) {
		const row = this.#row(event);
		row.dataset.heard = "";
		return row;
	}

	get #path() {
		return `/sites/${this.dataset.site}/events`;
	}

	async #load(older) {
		const page = await api.get(older ? `${this.#path}?${new URLSearchParams({before: this.#next})}` : this.#path);
		const body = this.#list.tBodies[0];
		// what was heard while the page was on its way may not be in it yet
		const stored = new Set(page.items.map(({event}) => event));
		if (!older)
			body.replaceChildren(...[...body.rows].filter(({dataset}) => "heard" in dataset && !stored.has(dataset.event)));
		page.items.forEach((event) => body.append(this.#row(event)));
		this.#next = page.next ?? null;
		this.#older.classList.toggle("away", !this.#next);
		this.#none.textContent = body.rows.length ? "" : texts.history.none;
	}

	// What happened this moment is in the history a little later.
	async #find(event) {
		try {
			return await api.get(`${this.#path}/${encodeURIComponent(event)}`);
		} catch (refusal) {
			throw refusal.status === 404 ? new Refusal(404, {detail: texts.history.soon}) : refusal;
		}
	}

	#row(event) {
		const summary = element("summary"), more = element("details", {}, summary);
		tell(summary, event);
		more.addEventListener("toggle", () => attempt(async () => {
			if (more.open && more.childElementCount === 1)
				more.append(trace(await this.#find(event.event)));
		}));
		return element("tr", {"data-event": event.event}, element("td", {}, time(event.received_at)),
			element("td", {}, `${event.qualifier ?? ""}${event.code ?? ""}`), element("td", {}, event.zone ?? ""),
			element("td", {class: "spare"}, event.text ?? ""), element("td", {}, more));
	}
}

customElements.define("tocsin-history", History);

export function history(site) {
	return section(texts.history.title, element("tocsin-history", {"data-site": site.id}));
}
