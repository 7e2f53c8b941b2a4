// Systems of a dealer's own that get the signals of its customers, signed.
import {api} from "/api.js";
import {button, element, listing} from "/dom.js";
import {choices, input, valuesOf} from "/field.js";
import {attempt, removal, say, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const passkeyLength = {minlength: 16, maxlength: 64};

function stateOf(webhook) {
	if (!webhook.has_passkey)
		return texts.webhooks.noPasskey;
	return webhook.enabled ? texts.webhooks.enabled : texts.webhooks.disabled;
}

function passkeyField() {
	return input("passkey", texts.webhooks.passkey, {autocapitalize: "none", ...passkeyLength}, texts.webhooks.passkeyHint);
}

// Sends what is typed, or has one made.
async function setPasskey(id, form) {
	return (await api.post(`/webhooks/${id}/passkey`, {passkey: valuesOf(form).passkey})).passkey;
}

class Webhooks extends HTMLElement {
	#classes = [];

	connectedCallback() {
		this.loaded = attempt(async () => {
			this.#classes = await api.items("/event-classes");
			await this.#load();
		});
	}

	get #dealerId() {
		return Number(this.dataset.dealer);
	}

	// passkey: to be shown this once.
	async #load(passkey = null) {
		const webhooks = await api.items(`/webhooks?dealer_id=${this.#dealerId}`);
		this.replaceChildren(element("h3", {tabindex: -1}, texts.webhooks.title), element("p", {class: "hint"}, texts.webhooks.hint),
			passkey ? element("div", {class: "field"}, element("label", {for: "new-passkey"}, texts.webhooks.once),
				element("input", {id: "new-passkey", readonly: true, value: passkey, size: passkeyLength.maxlength})) : "",
			webhooks.length ? this.#table(webhooks) : element("p", {}, texts.webhooks.none),
			webhooks.length < Number(this.dataset.allowed)
				? button(texts.webhooks.add, () => this.#open(texts.webhooks.add, this.#form(null)), {id: "add-webhook"})
				: element("p", {class: "hint"}, fill(texts.webhooks.allowed, this.dataset)));
	}

	#table(webhooks) {
		return listing(texts.webhooks.title, [
			{text: texts.webhooks.name, show: (one) => one.name},
			{text: texts.webhooks.url, spare: true, show: (one) => one.url},
			{text: texts.webhooks.classes, spare: true, show: (one) => this.#titles(one)},
			{text: texts.webhooks.state, show: (one) => stateOf(one)},
			{text: texts.form.actions, show: (one) => element("div", {class: "row tight"},
				button(texts.form.edit, () => this.#open(one.name, this.#form(one)), {"aria-label": `${texts.form.edit}: ${one.name}`}),
				button(texts.webhooks.newPasskey, () => this.#open(one.name, this.#passkeyForm(one)),
					{"aria-label": `${texts.webhooks.newPasskey}: ${one.name}`}),
				removal(texts.form.remove, one.name, () => api.remove(`/webhooks/${one.id}`), this.#done,
					fill(texts.webhooks.sure, one)))}], webhooks);
	}

	#titles({classes}) {
		return classes.length ? this.#classes.filter(({name}) => classes.includes(name)).map(({title}) => title).join(", ")
			: texts.webhooks.every;
	}

	// webhook: the one that is changed, null for a new one.
	#form(webhook) {
		const form = element("form", {id: "webhook"},
			input("name", texts.webhooks.name, {required: true, value: webhook?.name}, texts.webhooks.nameHint),
			input("url", texts.webhooks.url, {type: "url", required: true, value: webhook?.url, placeholder: "https://"}),
			choices("classes", texts.webhooks.classesHint, this.#classes.map(({name, title}) => ({value: name, text: title})),
				webhook?.classes ?? []),
			webhook ? element("label", {}, element("input", {type: "checkbox", name: "enabled", checked: webhook.enabled}),
				` ${texts.webhooks.isEnabled}`) : passkeyField(),
			this.#ends(texts.form.save));
		return whenSent(form, async () => {
			const {name, url} = valuesOf(form);
			const values = {name, url, classes: new FormData(form).getAll("classes")};
			if (webhook) {
				await api.put(`/webhooks/${webhook.id}`, {...values, enabled: form.elements.enabled.checked});
				return this.#done(texts.webhooks.saved);
			}
			const {id} = await api.post("/webhooks", {...values, dealer_id: this.#dealerId});
			return this.#firstPasskey(id, form);
		});
	}

	// The webhook is there, whatever becomes of its passkey.
	async #firstPasskey(id, form) {
		try {
			await this.#done(texts.webhooks.added, await setPasskey(id, form));
		} catch (refusal) {
			await this.#done("");
			throw refusal;
		}
	}

	#passkeyForm(webhook) {
		const form = element("form", {id: "webhook-passkey"}, passkeyField(), this.#ends(texts.webhooks.newPasskey));
		return whenSent(form, async () => this.#done(texts.webhooks.passkeySet, await setPasskey(webhook.id, form)));
	}

	#ends(text) {
		return element("div", {class: "row"}, element("button", {class: "main"}, text), button(texts.form.cancel, () => this.#done("")));
	}

	#open(title, form) {
		this.replaceChildren(element("h3", {}, title), form);
		form.elements[0].focus();
	}

	#done = async (sentence, passkey = null) => {
		await attempt(() => this.#load(passkey));
		this.querySelector(passkey ? "#new-passkey" : "h3").focus();
		say(sentence, true);
	};
}

customElements.define("tocsin-webhooks", Webhooks);
