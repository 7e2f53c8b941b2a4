// The portal's API. Refusals are thrown with the sentence, the status and,
// where one is wrong, the field.
export class Refusal extends Error {
	constructor(status, problem) {
		super(problem.detail ?? `The portal answered ${status}.`);
		this.status = status;
		this.field = problem.field ?? null;
	}
}

export class Api {
	#csrf = "";

	async #send(method, path, body, version) {
		const headers = {"X-CSRF-Token": this.#csrf};
		if (body !== undefined)
			headers["Content-Type"] = "application/json";
		if (version)
			headers["If-Match"] = version;
		const answer = await fetch(`/api/v1${path}`, {
			method, headers, body: body === undefined ? undefined : JSON.stringify(body)});
		const value = answer.status === 204 ? null : await answer.json().catch(() => ({}));
		if (!answer.ok)
			throw new Refusal(answer.status, value);
		return value;
	}

	get(path) {
		return this.#send("GET", path);
	}

	post(path, body) {
		return this.#send("POST", path, body);
	}

	put(path, body, version) {
		return this.#send("PUT", path, body, version);
	}

	patch(path, body, version) {
		return this.#send("PATCH", path, body, version);
	}

	remove(path, version) {
		return this.#send("DELETE", path, undefined, version);
	}

	async signIn(login, password) {
		const session = await this.post("/session", {login, password});
		this.#csrf = session.csrf_token;
		return session.user;
	}

	async signOut() {
		await this.remove("/session");
		this.#csrf = "";
	}

	// The user whose session the browser still has; null: nobody's.
	async resume() {
		try {
			const session = await this.get("/session");
			this.#csrf = session.csrf_token;
			return session.user;
		} catch (refusal) {
			if (refusal.status === 401)
				return null;
			throw refusal;
		}
	}
}
