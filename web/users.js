// Who may sign in for a dealer, and the keys with which programs do.
import {api} from "/api.js";
import {dealerChooser} from "/dealers.js";
import {button, element, listing, time} from "/dom.js";
import {choices, input, numberOf, select, valuesOf} from "/field.js";
import {attempt, say, whenSent, whenTyped} from "/page.js";
import {fill, texts} from "/texts.js";

const scopes = ["read", "sites", "settings"];

function stateOf(user) {
	if (user.disabled)
		return texts.users.disabled;
	if (user.locked_until && new Date(user.locked_until) > new Date())
		return fill(texts.users.locked, {until: new Date(user.locked_until).toLocaleTimeString()});
	return user.has_password ? texts.users.active : texts.users.noPassword;
}

const versionOf = (user) => `"${user.version}"`;

// user: the one that is changed, null for a new one.
function userForm(dealerId, user, roles, done) {
	const form = element("form", {id: "user"},
		user ? null : input("login", texts.users.login, {required: true, autocapitalize: "none"}, texts.users.loginHint),
		input("name", texts.users.name, {required: true, value: user?.name}),
		input("email", texts.users.email, {type: "email", value: user?.email}),
		select("role", texts.users.role, roles.map(({name, title}) => ({value: name, text: title})), user?.role),
		element("div", {class: "row"}, element("button", {class: "main"}, texts.form.save),
			button(texts.form.cancel, () => done(""))));
	return whenSent(form, async () => {
		const values = valuesOf(form);
		await (user ? api.patch(`/users/${user.id}`, values, versionOf(user))
			: api.post("/users", {...values, dealer_id: dealerId}));
		await done(user ? texts.users.saved : texts.users.added);
	});
}

export function passwordForm(user, done) {
	const form = element("form", {id: "password"},
		input("password", texts.users.newPassword, {type: "password", autocomplete: "new-password", required: true,
			minlength: 10, maxlength: 256}, texts.users.passwordHint),
		element("div", {class: "row"}, element("button", {class: "main"}, texts.users.setPassword),
			button(texts.form.cancel, () => done(""))));
	return whenSent(form, async () => {
		await api.put(`/users/${user.id}/password`, {password: form.elements.password.value});
		await done(fill(texts.users.passwordSet, user));
	});
}

function keyForm(users, shown) {
	const form = element("form", {class: "row", id: "add-key"},
		input("name", texts.keys.name, {required: true}, texts.keys.nameHint),
		select("user_id", texts.keys.user, users.map(({id, login}) => ({value: id, text: login})), api.user.user_id),
		input("expires_at", texts.keys.expires, {type: "date"}, texts.keys.expiresHint),
		choices("scopes", texts.keys.scopes, scopes.map((one) => ({value: one, text: texts.keys.scope[one]})), ["read"]),
		element("button", {}, texts.keys.add));
	return whenSent(form, async () => {
		const {name, user_id: user, expires_at: expires} = valuesOf(form);
		const made = await api.post("/keys", {name, user_id: numberOf(user), expires_at: expires,
			scopes: new FormData(form).getAll("scopes")});
		await shown(made.token);
	});
}

class Users extends HTMLElement {
	#dealerId = api.user.dealer_id;
	#roles = [];
	#shown = []; // of the dealer's users, those in the list
	#next = null;
	#asked = 0; // answers to what is not wanted any more are dropped
	#search = input("q", texts.users.search, {type: "search"}, texts.users.searchHint);
	#list = element("div");
	#users = element("section", {class: "part", "aria-label": texts.users.title});
	#keys = element("section", {class: "part", "aria-label": texts.keys.title});

	async connectedCallback() {
		whenTyped(this.#search, () => this.#showUsers(false));
		this.replaceChildren(element("h2", {tabindex: -1}, texts.users.page));
		await attempt(async () => {
			const [dealers, roles] = await Promise.all([api.items("/dealers"), api.items("/roles")]);
			this.#roles = roles.filter((role) => role.belongs_to === "dealer");
			this.#dealerId ??= dealers[0]?.id;
			this.append(dealerChooser(dealers, this.#dealerId, (id) => {
				this.#dealerId = id;
				attempt(() => this.#load());
			}) ?? "", this.#users, this.#keys);
			await this.#load();
		});
	}

	async #load(token = null) {
		this.#users.replaceChildren(element("h3", {tabindex: -1}, texts.users.title), this.#search, this.#list,
			button(texts.users.add, () => this.#open(texts.users.add, userForm(this.#dealerId, null, this.#roles, this.#done)),
				{class: "main", id: "add-user"}));
		const [keys] = await Promise.all([api.items("/keys"), this.#showUsers(false)]);
		this.#showKeys(keys.filter((key) => key.dealer_id === this.#dealerId), token);
	}

	async #showUsers(further) {
		const wanted = new URLSearchParams({dealer_id: this.#dealerId, q: this.#search.querySelector("input").value.trim()});
		if (further)
			wanted.set("after", this.#next);
		const asked = ++this.#asked;
		const page = await api.get(`/users?${wanted}`);
		if (asked !== this.#asked)
			return;
		this.#shown = further ? [...this.#shown, ...page.items] : page.items;
		this.#next = page.next ?? null;
		this.#list.replaceChildren(this.#shown.length ? this.#table(this.#shown) : element("p", {role: "status"}, texts.users.noneFound),
			this.#next ? button(texts.users.more, () => attempt(() => this.#showUsers(true))) : "");
	}

	#table(users) {
		const title = (role) => this.#roles.find((one) => one.name === role)?.title ?? role;
		return listing(texts.users.title, [
			{text: texts.users.login, show: (user) => user.login},
			{text: texts.users.name, spare: true, show: (user) => user.name},
			{text: texts.users.role, spare: true, show: (user) => title(user.role)},
			{text: texts.users.state, show: stateOf},
			{text: texts.users.secondFactor, spare: true, show: (user) => user.has_totp ? texts.users.yes : texts.users.no},
			{text: texts.form.actions, show: (user) => this.#actions(user)}], users);
	}

	#actions(user) {
		const named = (text) => ({"aria-label": `${text}: ${user.login}`});
		const self = user.id === api.user.user_id;
		return element("div", {class: "row tight"},
			button(texts.form.edit, () => this.#open(user.login, userForm(this.#dealerId, user, this.#roles, this.#done)),
				named(texts.form.edit)),
			button(texts.users.password, () => this.#open(user.login, passwordForm(user, this.#done)), named(texts.users.password)),
			user.has_totp && !self ? button(texts.users.takeAway, () => this.#change(texts.users.takeAwaySure, user,
				() => api.remove(`/users/${user.id}/second-factor`)), named(texts.users.takeAway)) : null,
			self ? null : this.#disabling(user, named),
			self ? null : button(texts.form.remove, () => this.#change(texts.users.removeSure, user,
				() => api.remove(`/users/${user.id}`, versionOf(user))), named(texts.form.remove)));
	}

	#disabling(user, named) {
		const text = user.disabled ? texts.users.enable : texts.users.disable;
		return button(text, () => this.#change(user.disabled ? null : texts.users.disableSure, user,
			() => api.patch(`/users/${user.id}`, {disabled: !user.disabled}, versionOf(user))), named(text));
	}

	async #change(question, user, action) {
		if (question && !confirm(fill(question, user)))
			return;
		await attempt(async () => {
			await action();
			await this.#done(fill(texts.users.changed, user));
		});
	}

	#open(title, form) {
		this.#users.replaceChildren(element("h3", {}, title), form);
		form.querySelector("input").focus();
	}

	#done = async (sentence) => {
		await this.#load();
		this.#users.querySelector("h3").focus();
		say(sentence, true);
	};

	#showKeys(keys, token) {
		this.#keys.replaceChildren(element("h3", {tabindex: -1}, texts.keys.title),
			element("p", {class: "hint"}, texts.keys.hint), token ? this.#newKey(token) : "",
			keys.length ? listing(texts.keys.title, [
				{text: texts.keys.name, show: (key) => key.name},
				{text: texts.keys.user, show: (key) => key.login},
				{text: texts.keys.scopes, show: (key) => key.scopes.join(", ")},
				{text: texts.keys.created, spare: true, show: (key) => time(key.created_at)},
				{text: texts.keys.expires, show: (key) => key.expires_at ? time(key.expires_at) : texts.keys.never},
				{text: texts.form.actions, show: (key) => this.#revoking(key)}], keys)
				: element("p", {}, texts.keys.none),
			this.#shown.length ? keyForm(this.#shown, (made) => this.#load(made)) : "");
		this.#keys.querySelector("#new-key")?.focus();
	}

	#newKey(token) {
		return element("div", {class: "notice"}, element("label", {for: "new-key"}, texts.keys.once),
			element("input", {id: "new-key", readonly: true, value: token, spellcheck: "false",
				onfocus: (event) => event.target.select()}));
	}

	#revoking(key) {
		return button(texts.keys.revoke, () => attempt(async () => {
			if (!confirm(fill(texts.keys.revokeSure, key)))
				return;
			await api.remove(`/keys/${key.id}`);
			await this.#load();
			this.#keys.querySelector("h3").focus();
			say(fill(texts.keys.revoked, key), true);
		}), {"aria-label": `${texts.keys.revoke}: ${key.name}`});
	}
}

customElements.define("tocsin-users", Users);
