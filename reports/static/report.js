// Entry of the page's script: everything here makes a page better that already reads without it.
import { startTheme } from "./theme.js";

document.documentElement.classList.remove("no-script");
startTheme();
