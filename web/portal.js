// Signing in, and which page the address means: #/PAGE/ARGUMENT.
import "/creation.js";
import "/customers.js";
import "/settings.js";
import "/site.js";
import {api} from "/api.js";
import {button, element} from "/dom.js";
import {input} from "/field.js";
import {attempt, say, whenSent} from "/page.js";
import {texts} from "/texts.js";

const pages = {
	customers: () => element("tocsin-customers"),
	new: (step) => element("tocsin-creation", {"data-step": step}),
	settings: () => element("tocsin-settings"),
	site: (id) => element("tocsin-site", {"data-site": id}),
};
const main = document.querySelector("main");

function signInPage() {
	const form = element("form", {id: "sign-in"}, element("h2", {tabindex: -1}, texts.session.title),
		input("login", texts.session.login, {autocomplete: "username", autocapitalize: "none", required: true}),
		input("password", texts.session.password, {type: "password", autocomplete: "current-password", required: true}),
		element("button", {class: "main"}, texts.session.enter));
	return whenSent(form, async () => {
		await api.signIn(form.elements.login.value, form.elements.password.value);
		show();
	});
}

// The heading takes the focus, so that a screen reader says where one is.
function show() {
	const [name, argument] = location.hash.replace(/^#\//, "").split("/");
	const page = api.user ? (pages[name] ?? pages.customers)(argument) : signInPage();
	document.getElementById("sections").hidden = !api.user;
	say("");
	main.replaceChildren(page);
	document.title = `${page.querySelector("h2")?.textContent ?? texts.title} - ${texts.title}`;
	page.querySelector("h2")?.focus();
}

document.getElementById("sections").append(
	element("a", {href: "#/customers"}, texts.customers.title),
	element("a", {href: "#/settings"}, texts.settings.title),
	button(texts.session.leave, () => attempt(async () => {
		await api.signOut();
		show();
	}), {id: "sign-out"}));
document.addEventListener("signed-out", () => {
	api.user = null;
	show();
});
window.addEventListener("hashchange", show);
await attempt(() => api.resume());
show();
