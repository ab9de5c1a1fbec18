// Every page works without this; it only makes some of them pleasanter.
import "./live.js";
import "./shortcuts.js";
import "./suggest.js";
import "./contents.js";
import "./copy.js";
import "./editor.js";
import "./preview.js";
import "./drafts.js";
import "./similar.js";
import "./resources.js";
import "./review.js";
import "./images.js";
import "./links.js";
