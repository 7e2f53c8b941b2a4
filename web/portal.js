// Signing in, and which page the address means: #/PAGE/ARGUMENT.
import "/account.js";
import "/audit.js";
import "/creation.js";
import "/customers.js";
import "/import.js";
import {isOperations} from "/operations.js";
import "/settings.js";
import "/site.js";
import "/users.js";
import {api} from "/api.js";
import {button, element} from "/dom.js";
import {input} from "/field.js";
import {attempt, say, whenSent} from "/page.js";
import {texts} from "/texts.js";

const pages = {
	account: () => element("tocsin-account"),
	audit: () => element("tocsin-audit"),
	customers: () => element("tocsin-customers"),
	import: () => element("tocsin-import"),
	operations: () => isOperations(api.user) ? element("tocsin-operations") : pages.customers(),
	new: (step) => element("tocsin-creation", {"data-step": step}),
	settings: () => element("tocsin-settings"),
	site: (id) => element("tocsin-site", {"data-site": id}),
	users: () => element("tocsin-users"),
};
// What leads where; may: of the user, who else is not shown it.
const sections = [
	{page: "operations", text: texts.operations.title, shown: isOperations},
	{page: "customers", text: texts.customers.title},
	{page: "settings", text: texts.settings.title},
	{page: "users", text: texts.users.page, may: "writes_settings"},
	{page: "audit", text: texts.audit.title, may: "writes_settings"},
	{page: "account", text: texts.own.page},
];
// Pages that are reached from a section, and belong to it.
const within = {import: "customers", new: "customers", site: "customers"};
const main = document.querySelector("main");

function signInPage() {
	const form = element("form", {id: "sign-in"}, element("h2", {tabindex: -1}, texts.session.title),
		input("login", texts.session.login, {autocomplete: "username", autocapitalize: "none", required: true}),
		input("password", texts.session.password, {type: "password", autocomplete: "current-password", required: true}),
		element("button", {class: "main"}, texts.session.enter));
	return whenSent(form, async () => {
		const {login, password, code} = form.elements;
		try {
			await api.signIn(login.value, password.value, code?.value);
		} catch (refusal) {
			if (refusal.field === "code" && !code) // asked for only now
				password.closest(".field").after(input("code", texts.session.code, {required: true,
					autocomplete: "one-time-code", maxlength: 24, spellcheck: "false"}, texts.session.codeHint));
			throw refusal;
		}
		show();
	});
}

function showSections(shownPage) {
	const section = within[shownPage] ?? shownPage;
	const place = document.getElementById("sections");
	place.hidden = !api.user;
	place.replaceChildren(...sections.filter(({may, shown}) => api.user && (!may || api.user[may]) && (!shown || shown(api.user)))
		.map(({page, text}) => element("a", {href: `#/${page}`,
			"aria-current": page === section && (page === shownPage ? "page" : "true")}, text)),
	button(texts.session.leave, () => attempt(async () => {
		await api.signOut();
		show();
	}), {id: "sign-out"}));
}

// The heading takes the focus, so that a screen reader says where one is.
function show() {
	const [asked, argument] = location.hash.replace(/^#\//, "").split("/");
	const name = Object.hasOwn(pages, asked) ? asked : "customers";
	const page = api.user ? pages[name](argument) : signInPage();
	showSections(name);
	say("");
	main.replaceChildren(page);
	document.title = `${page.querySelector("h2")?.textContent ?? texts.title} - ${texts.title}`;
	page.querySelector("h2")?.focus();
}

document.addEventListener("signed-out", () => {
	api.user = null;
	show();
});
window.addEventListener("hashchange", show);
await attempt(() => api.resume());
show();
