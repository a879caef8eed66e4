// Entry of the page's script: everything here makes a page better that already reads without it.
import { readData } from "./data.js";
import { startBoard } from "./board.js";
import { startCopies } from "./copies.js";
import { startDuel } from "./duel.js";
import { startPlayers } from "./players.js";
import { startTheme } from "./theme.js";

document.documentElement.classList.remove("no-script");
startTheme();
startCopies();
const pageData = readData();
if (pageData) {
  startBoard(pageData);
  startDuel(pageData);
}
startPlayers();
