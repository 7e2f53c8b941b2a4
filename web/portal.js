// The portal's first page: signing in, and the customers with search.
import {Api} from "/api.js";

const texts = {
	none: "No customer is found.",
	more: "More",
};
const api = new Api();
const at = (id) => document.getElementById(id);

function say(sentence) {
	at("message").textContent = sentence;
}

function show(signedIn) {
	at("sign-in").hidden = signedIn;
	at("customers").hidden = !signedIn;
	at("sign-out").hidden = !signedIn;
}

function addRow(site) {
	const row = at("rows").insertRow();
	const account = site.effective_account ?? "";
	for (const text of [site.name, site.city, account, site.station ?? "", site.security])
		row.insertCell().textContent = text;
}

async function list(path) {
	const page = await api.get(path);
	page.items.forEach(addRow);
	at("more").hidden = !page.next;
	at("more").onclick = () => attempt(() => list(`/sites?after=${encodeURIComponent(page.next)}`));
	say(at("rows").rows.length ? "" : texts.none);
}

async function search(wanted) {
	at("rows").replaceChildren();
	await list(wanted ? `/sites/search?q=${encodeURIComponent(wanted)}` : "/sites");
}

// Whatever is refused is said where the user looks.
async function attempt(action) {
	try {
		await action();
	} catch (problem) {
		if (problem.status === 401)
			show(false);
		say(problem.message);
	}
}

at("sign-in").addEventListener("submit", (event) => {
	event.preventDefault();
	const form = new FormData(event.target);
	attempt(async () => {
		await api.signIn(form.get("login"), form.get("password"));
		event.target.reset();
		show(true);
		await search("");
	});
});
at("search").addEventListener("submit", (event) => {
	event.preventDefault();
	attempt(() => search(new FormData(event.target).get("q").trim()));
});
at("sign-out").addEventListener("click", () => attempt(async () => {
	await api.signOut();
	at("rows").replaceChildren();
	show(false);
}));

if (await api.resume()) {
	show(true);
	await attempt(() => search(""));
} else {
	show(false);
}
