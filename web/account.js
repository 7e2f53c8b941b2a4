// What is one's own: the password, and the second factor.
import {api} from "/api.js";
import {button, element, section} from "/dom.js";
import {input} from "/field.js";
import {attempt, say, whenSent} from "/page.js";
import {texts} from "/texts.js";
import {passwordForm} from "/users.js";

const QUIET_MODULES = 4; // of white around a code, so that it can be read

// lines: texts of 0 and 1.
function qrCode(lines) {
	const space = "http://www.w3.org/2000/svg";
	const size = lines.length + 2 * QUIET_MODULES;
	const picture = document.createElementNS(space, "svg");
	const path = document.createElementNS(space, "path");
	const dark = lines.flatMap((line, y) => [...line].map((module, x) => module === "1"
		? `M${x + QUIET_MODULES} ${y + QUIET_MODULES}h1v1h-1z` : "")).join("");
	picture.setAttribute("viewBox", `0 0 ${size} ${size}`);
	picture.setAttribute("role", "img");
	picture.setAttribute("aria-label", texts.own.secondFactor.qr);
	path.setAttribute("d", dark);
	picture.append(path);
	return element("div", {class: "qr"}, picture);
}

function codeForm(name, press, sent) {
	const form = element("form", {id: name},
		input("code", texts.session.code, {required: true, autocomplete: "one-time-code", maxlength: 24, spellcheck: "false"}),
		element("button", {class: "main"}, press));
	return whenSent(form, () => sent(form.elements.code.value));
}

class Account extends HTMLElement {
	#second = element("section", {class: "part", "aria-label": texts.own.secondFactor.title});

	async connectedCallback() {
		const {user_id: id, login, name} = api.user;
		const password = section(texts.own.password);
		const show = () => password.replaceChildren(element("h3", {tabindex: -1}, texts.own.password),
			element("p", {class: "hint"}, texts.own.passwordEnds),
			button(texts.own.change, () => {
				password.lastChild.replaceWith(passwordForm({id, login}, async (sentence) => {
					if (sentence) // the session is over
						return void document.dispatchEvent(new Event("signed-out"));
					show();
				}));
				password.querySelector("input").focus();
			}));
		show();
		this.replaceChildren(element("h2", {tabindex: -1}, name), password, this.#second);
		await attempt(() => this.#load());
	}

	#show(...parts) {
		this.#second.replaceChildren(element("h3", {tabindex: -1}, texts.own.secondFactor.title), ...parts);
	}

	async #load() {
		const {login, user_id: id} = api.user;
		// whose login has it too comes later
		const own = (await api.items(`/users?${new URLSearchParams({q: login, after: login.slice(0, -1)})}`)).find((user) => user.id === id);
		if (own?.has_totp)
			this.#show(element("p", {}, texts.own.secondFactor.on),
				codeForm("second-factor-end", texts.own.secondFactor.end, (code) => this.#end(code)));
		else
			this.#show(element("p", {}, texts.own.secondFactor.off),
				button(texts.own.secondFactor.begin, () => attempt(() => this.#begin()), {class: "main"}));
	}

	async #begin() {
		const {secret, uri, qr} = await api.post("/session/second-factor");
		this.#show(element("p", {}, texts.own.secondFactor.scan), qr.length ? qrCode(qr) : "",
			element("p", {}, element("a", {href: uri}, texts.own.secondFactor.open)),
			element("p", {}, `${texts.own.secondFactor.secret} `, element("code", {}, secret.replace(/.{4}(?=.)/g, "$& "))),
			codeForm("second-factor-confirm", texts.own.secondFactor.confirm, (code) => this.#confirm(code)));
		this.#second.querySelector("input").focus();
	}

	async #confirm(code) {
		const {recovery_codes: codes} = await api.post("/session/second-factor/confirmation", {code});
		this.#show(element("p", {}, texts.own.secondFactor.recovery),
			element("ul", {class: "codes"}, ...codes.map((one) => element("li", {}, element("code", {}, one)))),
			button(texts.own.secondFactor.kept, () => attempt(() => this.#load())));
		this.#second.querySelector("h3").focus();
		say(texts.own.secondFactor.isOn, true);
	}

	async #end(code) {
		await api.post("/session/second-factor/end", {code});
		await this.#load();
		this.#second.querySelector("h3").focus();
		say(texts.own.secondFactor.isOff, true);
	}
}

customElements.define("tocsin-account", Account);
