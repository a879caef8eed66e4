// Entry of the page's script: everything here makes a page better that already reads without it.
import { readData } from "./data.js";
import { startBoard } from "./board.js";
import { startCopies } from "./copies.js";
import { startDuel } from "./duel.js";
import { startPageSearch } from "./pages.js";
import { startPlayers } from "./players.js";
import { startRounds } from "./rounds.js";
import { startTheme } from "./theme.js";
import { startTracks } from "./tracks.js";

document.documentElement.classList.remove("no-script");
startTheme();
startCopies();
startPageSearch();
const pageData = readData();
if (pageData) {
  startRounds(pageData);
  startTracks(pageData);
  startDuel(pageData);
  startBoard(pageData);
}
startPlayers();
