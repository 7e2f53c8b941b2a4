// What every page does the same way: say, try, and be gone to.
import {api, Refusal} from "/api.js";
import {button} from "/dom.js";
import {check, refuse} from "/field.js";

export function say(sentence, good = false) {
	const message = document.getElementById("message");
	message.textContent = sentence;
	message.classList.toggle("good", good);
}

// What is refused is said at the field that it names, else where the page
// says things. Returns whether it was done.
export async function attempt(action, form = null) {
	say("");
	try {
		await action();
		return true;
	} catch (problem) {
		if (!(problem instanceof Refusal))
			throw problem;
		if (problem.status === 401 && api.user)
			document.dispatchEvent(new Event("signed-out"));
		if (!form || !refuse(form, problem.field, problem.message))
			say(problem.message);
		return false;
	}
}

// What is complete is sent, with the button off, so that it is not sent twice.
export function whenSent(form, action) {
	form.noValidate = true;
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (!check(form))
			return;
		const pressed = event.submitter;
		if (pressed)
			pressed.disabled = true;
		await attempt(action, form);
		if (pressed)
			pressed.disabled = false;
	});
	return form;
}

const TYPED_DELAY_MS = 250;

// Calls look(text) once nothing more is typed into a field, or chosen in a form,
// for a moment.
export function whenTyped(place, look) {
	let timer = 0;
	place.addEventListener("input", (event) => {
		clearTimeout(timer);
		timer = setTimeout(() => attempt(() => look(event.target.value.trim())), TYPED_DELAY_MS);
	});
}

// Takes one thing away, once a question is answered where there is one. done:
// called with a sentence afterwards.
export function removal(text, subject, action, done, question = null) {
	return button(text, () => attempt(async () => {
		if (question && !confirm(question))
			return;
		await action();
		await done("");
	}), {"aria-label": `${text}: ${subject}`});
}

export function goTo(place) {
	location.hash = `#/${place}`;
}
