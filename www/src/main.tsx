// The console: what is in the vault, what is about to expire, and a trial exchange.

import { render } from "preact";
import { App } from "./app";
import { resume } from "./model/session";
import "./model/theme";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/fields.css";
import "./styles/sheet.css";
import "./styles/sign-in.css";
import "./styles/shell.css";
import "./styles/summary.css";
import "./styles/table.css";
import "./styles/exchange.css";

const place = document.getElementById("console");
if (place) render(<App />, place);
void resume();
