"""Components in the browser, each with its own JavaScript and style sheet, and what pages share."""
