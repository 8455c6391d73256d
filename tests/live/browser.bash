# shellcheck shell=bash disable=SC2154 # variables of lib.bash
# A headless Chromium, driven by WebDriver: what a user does to a page, and what the page then says.
#
# Needs lib.bash, and its limit. Both processes are children of ours and are ended by their pids.

driver=
# browser_start: sets driver, the address of a session.
browser_start() {
	local log=$T/chromedriver.log port answer
	mkdir -p "$T/profile"
	chromedriver --port=0 > "$log" 2>&1 &
	_driver_pid=$!
	ours "$_driver_pid"
	until_true grep -q 'started successfully on port' "$log" || return
	port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$log")
	answer=$(curl -sS -m "$limit" -H 'Content-Type: application/json' "http://127.0.0.1:$port/session" -d "$(jq -n --arg dir "$T/profile" '
		{capabilities: {alwaysMatch: {browserName: "chrome", "goog:loggingPrefs": {browser: "ALL"}, "goog:chromeOptions": {args: [
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900",
			"--user-data-dir=\($dir)"]}}}}')")
	driver=http://127.0.0.1:$port/session/$(jq -r '.value.sessionId' <<< "$answer")
	[[ $driver != */null ]] || { echo "$answer" >&2; return 1; }
}

# The driver ends its Chromium with the session.
browser_stop() {
	curl -sS -m "$limit" -X DELETE "$driver" > "$T/answer"
	kill "$_driver_pid"
	wait "$_driver_pid"
	return 0
}

# wd METHOD PATH [BODY]: the value of the answer as JSON; what is an error fails.
wd() {
	local answer
	answer=$(curl -sS -m "$limit" -X "$1" -H 'Content-Type: application/json' "$driver/$2" ${3:+-d "$3"}) || return
	jq -e '.value | type == "object" and has("error")' <<< "$answer" > /dev/null && { jq -r .value.message <<< "$answer" >&2; return 1; }
	jq -c .value <<< "$answer"
}

browse() { wd POST url "$(jq -n --arg url "file://$1" '{url: $url}')" > /dev/null; }

# js EXPRESSION: its value, a string as it is.
js() { wd POST execute/sync "$(jq -n --arg s "return ($1)" '{script: $s, args: []}')" | jq -r .; }

# text_of ID
text_of() { js "document.getElementById('$1').textContent"; }

# pointer ID ACTIONS: with the position of an element's corner, in jq: $x and $y.
pointer() {
	local box
	box=$(js "JSON.stringify(document.getElementById('$1').getBoundingClientRect())")
	wd POST actions "$(jq -n --argjson box "$box" "(\$box.x | ceil) as \$x | (\$box.y | ceil) as \$y | (\$box.width | floor) as \$w |
		(\$box.height | floor) as \$h | def move(\$a; \$b): {type: \"pointerMove\", duration: 0, x: \$a, y: \$b};
		def down: {type: \"pointerDown\", button: 0}; def up: {type: \"pointerUp\", button: 0};
		{actions: [{type: \"pointer\", id: \"mouse\", parameters: {pointerType: \"mouse\"}, actions: [$2]}]}")" > /dev/null
}

# click ID [X Y]: at a place of an element.
click() { pointer "$1" "move(\$x + ${2:-5}; \$y + ${3:-5}), down, up"; }

# keys TEXT: to what has the focus.
keys() {
	wd POST actions "$(jq -n --arg text "$1" '{actions: [{type: "key", id: "keyboard", actions:
		[$text | split("")[] | {type: "keyDown", value: .}, {type: "keyUp", value: .}]}]}')" > /dev/null
}

# screenshot FILE
screenshot() { wd GET screenshot | jq -r . | base64 -d > "$1"; }

# emulate WIDTH HEIGHT light|dark
emulate() {
	wd POST goog/cdp/execute "{\"cmd\": \"Emulation.setDeviceMetricsOverride\", \"params\":
		{\"width\": $1, \"height\": $2, \"deviceScaleFactor\": 1, \"mobile\": false}}" > /dev/null &&
		wd POST goog/cdp/execute "{\"cmd\": \"Emulation.setEmulatedMedia\", \"params\":
			{\"features\": [{\"name\": \"prefers-color-scheme\", \"value\": \"$3\"}]}}" > /dev/null
}

# What the page's console has said since it was last asked, a line each.
console() { wd POST se/log '{"type": "browser"}' | jq -r '.[] | "\(.level): \(.message)"'; }
