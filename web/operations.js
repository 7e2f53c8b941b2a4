// The operations view: what happens now, for the installation's operators and
// for monitoring stations, each of what is theirs.
import {api} from "/api.js";
import {chart} from "/chart.js";
import {button, element, section, table, time, wide} from "/dom.js";
import {input, select, valuesOf} from "/field.js";
import {follow, repeat} from "/live.js";
import {attempt, say, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const words = texts.operations;
const SIGNALS_MAX = 200;
const SOUND_KEY = "tocsin-sound";

export const isOperations = (user) => ["operator", "center"].includes(user?.role);

const isOperator = () => api.user.role === "operator";

export function age(seconds) {
	if (seconds < 60)
		return fill(words.seconds, {count: Math.round(seconds)});
	return seconds < 5400 ? fill(words.minutes, {count: Math.round(seconds / 60)}) : fill(words.hours, {count: Math.round(seconds / 3600)});
}

function columns(names, spare = []) {
	return names.map((name) => ({text: words[name], class: spare.includes(name) && "spare"}));
}

function row(cells, spare = []) {
	return element("tr", {}, ...Object.entries(cells).map(([name, value], at) =>
		element(at ? "td" : "th", {scope: at ? null : "row", class: spare.includes(name) && "spare"}, value)));
}

function list(caption, shown, rows, spare) {
	const made = table(caption, columns(shown, spare));
	made.tBodies[0].append(...rows);
	return wide(caption, made);
}

// ---- links ---------------------------------------------------------------------------------

function linkState(link) {
	const state = link.paused_by ? "paused" : !link.up ? "down" : link.backup ? "backup" : "up";
	return element("span", {class: `state state-${state}`}, words.states[state]);
}

function linksOf(links) {
	const spare = ["address", "delivered", "problem"];
	if (!links.length)
		return element("p", {}, words.noLinks);
	return list(words.links, ["receiver", "state", "queued", "oldest", "address", "delivered", "problem"], links.map((link) =>
		row({receiver: link.shadow ? fill(words.shadow, {name: link.name}) : link.name, state: linkState(link), queued: link.queued.toLocaleString(),
			oldest: link.queued ? age(link.oldest_s) : "", address: link.endpoint, delivered: link.delivered.toLocaleString(),
			problem: link.up ? "" : link.last_error}, spare)), spare);
}

// Receivers that nothing reaches: each of their links is down. Nobody waits for shadows,
// and a dealer's own system is the dealer's to look after.
function unreachable(links) {
	const receivers = Map.groupBy ? Map.groupBy(links, (link) => link.receiver_id)
		: links.reduce((map, link) => map.set(link.receiver_id, [...map.get(link.receiver_id) ?? [], link]), new Map());
	return [...receivers.values()].filter((own) => own.every((link) => !link.up && !link.paused_by && !link.shadow && !link.dealers_own))
		.map(([link]) => link.name);
}

// ---- sound ---------------------------------------------------------------------------------

class Sound {
	#context = null;
	on = localStorage.getItem(SOUND_KEY) !== "off";

	turn(on) {
		this.on = on;
		localStorage.setItem(SOUND_KEY, on ? "on" : "off");
		if (on)
			this.#awake();
	}

	// Browsers are silent until somebody has pressed something.
	#awake() {
		this.#context ??= new AudioContext();
		this.#context.resume().catch(() => {});
		return this.#context;
	}

	play() {
		if (!this.on)
			return;
		const context = this.#awake();
		[880, 660].forEach((hertz, at) => {
			const tone = context.createOscillator(), volume = context.createGain();
			tone.frequency.value = hertz;
			volume.gain.value = 0.2;
			tone.connect(volume).connect(context.destination);
			tone.start(context.currentTime + at * 0.3);
			tone.stop(context.currentTime + at * 0.3 + 0.25);
		});
	}
}

// ---- parked --------------------------------------------------------------------------------

function giveUpForm(receiver, done) {
	const form = element("form", {class: "row", hidden: true}, input("reason", words.reason, {required: true, maxlength: 200}, words.reasonHint),
		element("button", {}, words.giveUpNow));
	return whenSent(form, async () => {
		const {parked, queued} = await api.post(`/operations/receivers/${receiver.id}/skip`, {reason: valuesOf(form).reason});
		await done(fill(words.givenUp, {count: parked + queued}));
	});
}

function parkedOf(receiver, waiting, done) {
	const form = giveUpForm(receiver, done);
	const putBack = button(words.putBack, () => attempt(async () => {
		const {replayed} = await api.post(`/operations/receivers/${receiver.id}/replay`);
		await done(fill(words.replayed, {count: replayed}));
	}), {"aria-label": fill(words.putBackOf, receiver)});
	const giveUp = isOperator() ? button(words.giveUp, () => {
		form.hidden = !form.hidden;
		form.querySelector("input").focus();
	}, {"aria-label": fill(words.giveUpOf, receiver)}) : null;
	const spare = ["zone", "received"];
	return element("div", {class: "parked", "data-receiver": receiver.id}, element("div", {class: "row"},
		element("h4", {}, fill(words.parkedAt, {...receiver, count: waiting.length})), putBack, giveUp), form,
	list(fill(words.parkedAt, {...receiver, count: waiting.length}), ["account", "code", "zone", "received", "why"], waiting.map((one) =>
		row({account: one.account ?? "", code: one.code ?? "", zone: one.zone ?? "", received: time(one.received_at),
			why: one.reason ?? one.problem ?? ""}, spare)), spare));
}

// ---- what is wrong -------------------------------------------------------------------------

function incidents(status) {
	const found = [
		[status.journal_refusing, words.refusing, status.journal_refusing_because],
		[status.healthy === false, words.unhealthy],
		[status.mass_loss, words.massLoss],
		[status.journal_quarantined > 0, words.quarantined],
		[status.directory_following === false, words.noDirectory, status.directory_problem],
		[status.archive_lag_s > 60, words.archiveLate, status.archive_problem],
		[status.links_down > 0, fill(words.linksDown, {count: status.links_down})],
		[status.bridges_offline > 0, fill(words.bridgesDown, {count: status.bridges_offline})],
		[status.parked > 0, fill(words.parkedNow, {count: status.parked})],
	].filter(([wrong]) => wrong).map(([, sentence, why]) => element("li", {}, why ? `${sentence} ${why}` : sentence));
	return found.length ? element("ul", {class: "incidents"}, ...found) : element("p", {}, words.allWell);
}

function bridgesOf(bridges) {
	return bridges.length ? list(words.offline, ["serial", "customer", "lastHeard"], bridges.map((bridge) =>
		row({serial: bridge.serial, customer: element("a", {href: `#/site/${bridge.site}`}, bridge.site_name),
			lastHeard: bridge.last_seen ? time(bridge.last_seen) : words.never}))) : element("p", {}, words.noneOffline);
}

// ---- signals -------------------------------------------------------------------------------

function signalRow(signal) {
	const what = signal.kind === "outcome" ? signal.state : signal.verdict;
	const spare = ["zone", "text"];
	const customer = signal.site ? element("a", {href: `#/site/${signal.site_id}`}, signal.site) : "";
	const made = row({time: new Date(signal.time).toLocaleTimeString(), customer, account: signal.account ?? "", code: signal.code ?? "",
		zone: signal.zone ?? "", text: signal.text ?? "",
		verdict: element("span", {class: `verdict verdict-${what}`, title: signal.reason ?? ""}, texts.verdicts[what] ?? what)}, spare);
	made.dataset.event = signal.event;
	return made;
}

class Signals extends HTMLElement {
	#stop = null;
	#body = null;
	#state = element("span", {class: "badge", role: "status"});

	connectedCallback() {
		const verdicts = Object.entries(texts.verdicts).map(([value, text]) => ({value, text}));
		const form = element("form", {class: "row"}, input("account", words.account, {maxlength: 16, spellcheck: "false"}, words.accountHint),
			select("verdict", words.verdict, [{value: "", text: words.every}, ...verdicts]), element("button", {}, words.filter));
		const spare = ["zone", "text"];
		const made = table(words.signals, columns(["time", "customer", "account", "code", "zone", "text", "verdict"], spare));
		this.#body = made.tBodies[0];
		whenSent(form, async () => this.#follow(valuesOf(form)));
		this.replaceChildren(this.#state, form, element("div", {class: "wide signals", tabindex: 0, role: "region", "aria-label": words.signals}, made));
		this.#follow({});
	}

	disconnectedCallback() {
		this.#stop?.();
	}

	#follow(values) {
		this.#stop?.();
		this.#body.replaceChildren();
		this.#state.textContent = words.connecting;
		const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
		this.#stop = follow(`/operations/signals?${query}`, {
			signals: (items) => this.#show(items.map(signalRow)),
			lost: () => this.#show([element("tr", {}, element("td", {colspan: 7, class: "hint"}, words.lost))]),
			state: (connected) => {
				this.#state.textContent = connected ? texts.live.on : texts.live.off;
				this.#state.classList.toggle("live", connected);
			}});
	}

	#show(rows) {
		this.#body.prepend(...rows.reverse());
		while (this.#body.rows.length > SIGNALS_MAX)
			this.#body.lastElementChild.remove();
	}
}

customElements.define("tocsin-signals", Signals);

// ---- the page ------------------------------------------------------------------------------

class Operations extends HTMLElement {
	#sound = new Sound();
	#ends = [];
	#places = {};

	connectedCallback() {
		const place = (name, title) => section(title, this.#places[name] = element("div", {"aria-live": "off"}));
		this.#places.banner = element("p", {class: "banner", role: "alert", hidden: true});
		const silent = button("", () => {
			this.#sound.turn(!this.#sound.on);
			name();
		}, {id: "sound"});
		const name = () => {
			silent.textContent = this.#sound.on ? words.soundOn : words.soundOff;
			silent.setAttribute("aria-pressed", String(this.#sound.on));
		};
		name();
		// shown when all of them are there, so that none moves what is above it
		const parts = element("div", {hidden: true}, ...isOperator() ? [place("incidents", words.incidents)] : [],
			place("links", words.links), place("parked", words.parked), place("offline", words.offline),
			...isOperator() ? [place("rates", words.rates)] : [],
			section(words.signals, element("tocsin-signals")));
		this.replaceChildren(element("div", {class: "head"}, element("h2", {tabindex: -1}, words.title), silent),
			this.#places.banner, parts);
		const latest = [];
		this.#ends = [repeat(3, () => latest[0] = this.#refresh()), repeat(10, () => latest[1] = this.#refreshSlow())];
		Promise.allSettled(latest).then(() => parts.hidden = false);
	}

	disconnectedCallback() {
		this.#ends.forEach((end) => end());
	}

	#refresh() {
		return attempt(async () => {
			const links = await api.items("/operations/links");
			this.#places.links.replaceChildren(linksOf(links));
			this.#warn(unreachable(links));
			if (isOperator())
				this.#places.incidents.replaceChildren(incidents(await api.get("/operations/status")));
		});
	}

	#refreshSlow() {
		return attempt(async () => {
			await this.#showParked();
			this.#places.offline.replaceChildren(bridgesOf(await api.items("/operations/bridges-offline")));
			if (isOperator())
				this.#showRates(await api.items("/operations/rates"));
		});
	}

	async #showParked() {
		const place = this.#places.parked;
		// somebody types a reason
		if (place.contains(document.activeElement) && document.activeElement.matches("input"))
			return;
		const waiting = await api.items("/operations/parked");
		const names = new Map(waiting.map((one) => [one.receiver_id, one.receiver]));
		place.replaceChildren(...names.size ? [...names].map(([id, name]) => parkedOf({id, name},
			waiting.filter((one) => one.receiver_id === id), async (sentence) => {
				document.activeElement?.blur();
				await this.#showParked();
				say(sentence, true);
			})) : [element("p", {}, words.noneParked)]);
	}

	#showRates(samples) {
		this.#places.rates.replaceChildren(element("div", {class: "charts"},
			chart(words.perSecond, words.aSecond, samples, [{name: words.received, key: "signals_per_s"},
				{name: words.delivered, key: "delivered_per_s"}]),
			chart(words.ackLatency, words.ms, samples, [{name: words.half, key: "ack_p50_ms"}, {name: words.most, key: "ack_p99_ms"}]),
			chart(words.deliveryLatency, words.ms, samples, [{name: words.half, key: "delivery_p50_ms"},
				{name: words.most, key: "delivery_p99_ms"}])));
	}

	#warn(names) {
		const sentence = names.length ? fill(words.unreachable, {names: names.join(", ")}) : "";
		if (this.#places.banner.textContent !== sentence)
			this.#places.banner.textContent = sentence;
		this.#places.banner.hidden = !names.length;
		if (names.length)
			this.#sound.play();
	}
}

customElements.define("tocsin-operations", Operations);
