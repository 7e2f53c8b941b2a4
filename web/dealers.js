// Whose settings a page shows, where a user has more than one dealer.
import {select} from "/field.js";
import {texts} from "/texts.js";

// chosen(id) is called with another one. null: there is no choice.
export function dealerChooser(dealers, current, chosen) {
	if (dealers.length < 2)
		return null;
	const place = select("dealer", texts.dealer, dealers.map(({id, name}) => ({value: id, text: name})), current);
	place.addEventListener("change", (event) => chosen(Number(event.target.value)));
	return place;
}
