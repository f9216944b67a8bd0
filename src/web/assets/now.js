// What happens now.

import { h } from "./dom.js";

export function open(main) {
  main.append(h("h1", null, "Now"));
}
