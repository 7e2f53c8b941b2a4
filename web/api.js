import {fill, texts} from "/texts.js";

// The portal's API. Refusals are thrown with the sentence, the status and,
// where one is wrong, the field.
export class Refusal extends Error {
	constructor(status, problem) {
		super(problem.detail ?? fill(texts.api.answered, {status}));
		this.status = status;
		this.field = problem.field ?? null;
	}
}

class Api {
	#csrf = "";

	// Who has signed in; null: nobody.
	user = null;

	async #send(method, path, body, version) {
		const headers = {"X-CSRF-Token": this.#csrf};
		if (body !== undefined)
			headers["Content-Type"] = "application/json";
		if (version)
			headers["If-Match"] = version;
		const answer = await fetch(`/api/v1${path}`, {
			method, headers, body: body === undefined ? undefined : JSON.stringify(body)})
			.catch(() => { throw new Refusal(0, {detail: texts.api.unreachable}); });
		const value = answer.status === 204 ? null : await answer.json().catch(() => ({}));
		if (!answer.ok)
			throw new Refusal(answer.status, value);
		return {value, version: answer.headers.get("ETag")};
	}

	async get(path) {
		return (await this.#send("GET", path)).value;
	}

	// With the version that a change of it is to name.
	getVersioned(path) {
		return this.#send("GET", path);
	}

	async items(path) {
		return (await this.get(path)).items;
	}

	// Of a list that comes a page at a time, every page.
	async all(path) {
		const items = [];
		let next;
		do {
			const page = await this.get(`${path}&limit=200${next ? `&after=${encodeURIComponent(next)}` : ""}`);
			items.push(...page.items);
			({next} = page);
		} while (next);
		return items;
	}

	// By name.
	async stations(dealerId) {
		return (await this.all(`/stations?dealer_id=${dealerId}`)).sort((a, b) => a.name.localeCompare(b.name));
	}

	async post(path, body) {
		return (await this.#send("POST", path, body)).value;
	}

	async put(path, body, version) {
		return (await this.#send("PUT", path, body, version)).value;
	}

	async patch(path, body, version) {
		return (await this.#send("PATCH", path, body, version)).value;
	}

	async remove(path, version) {
		await this.#send("DELETE", path, undefined, version);
	}

	// code: of the second factor, where the user has one.
	async signIn(login, password, code) {
		this.#keep(await this.post("/session", {login, password, code}));
	}

	async signOut() {
		await this.remove("/session");
		this.#keep({csrf_token: "", user: null});
	}

	// Finds the session that the browser still has.
	async resume() {
		try {
			this.#keep(await this.get("/session"));
		} catch (refusal) {
			if (refusal.status !== 401)
				throw refusal;
		}
	}

	#keep(session) {
		this.#csrf = session.csrf_token;
		this.user = session.user;
	}
}

export const api = new Api();
