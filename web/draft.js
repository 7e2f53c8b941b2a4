// A customer that is being created. Kept in the tab, by user, from the first
// letter until the customer exists: leaving half way loses nothing.
import {api} from "/api.js";

const place = () => `tocsin.draft.${api.user.login}`;

export function hasDraft() {
	return sessionStorage.getItem(place()) !== null;
}

// values: by the API's names, as typed. library: by zone type.
export function readDraft() {
	return {values: {}, library: {}, ...JSON.parse(sessionStorage.getItem(place()) ?? "{}")};
}

export function keepDraft(draft) {
	sessionStorage.setItem(place(), JSON.stringify(draft));
}

export function dropDraft() {
	sessionStorage.removeItem(place());
}
