#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
#
# html: the page of -report-html, as a file and in a browser.

load helper

with_lab -n 4

setup() {
	dir=$BATS_TEST_TMPDIR/pages
	mkdir "$dir"
	page=$dir/run.html
}

teardown() {
	batch_kill
}

needs_browser() {
	chromium=$(command -v chromium || command -v chromium-browser) ||
	    skip "chromium is missing"
}

# make_page HOSTS [FACTOR]: of made-up hosts, see tests/unit/html_page.c.
make_page() {
	"$top_builddir/tests/unit/html_page" "$page" "$@"
}

# drive [WIDTHxHEIGHT [light|dark]] <<END: the steps of browser.py.
drive() {
	timeout 100 "$python" "$test_dir/browser.py" "$chromium" \
	    "$BATS_TEST_TMPDIR" "${1:-1400x1000}" "${2:-light}" "$page" 3>&- || {
		tail -n 5 "$BATS_TEST_TMPDIR/browser.log"
		return 1
	}
}

# data ID: the JSON in that element of the page.
data() {
	"$python" -c 'import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
print(re.search("id=\"%s\">(.*?)</script>" % sys.argv[2], text, re.S)[1])' \
	    "$page" "$1"
}

@test "the page holds the records of the report and the summary's failures" {
	batch -g web -h 127.77.9.9:1 -report-html "$page" \
	    -cmd 'test $LAB_HOST != web02'
	expect_status 3
	cmp <(jq -cS 'del(.stdout, .stderr, .truncated)' "$report") <(data record-data | jq -cS '.[]')
	[ "$(data run-data | jq -r .task)" = 'test $LAB_HOST != web02' ]
	[ "$(data run-data | jq -r .choice)" = '-g web -h 127.77.9.9:1' ]
	data run-data | jq -e '.failures | map([.status, .reason, .hosts]) ==
	    [["failed", "exit 1", "web02"],
	     ["unreachable", "Connection refused", "127.77.9.9:1"]]'
	[ "$(ls -A "$dir")" = run.html ]
}

@test "the page holds what hosts sent, equal output once, with any -output" {
	local mode outputs
	for mode in live fold json none; do
		batch -g web -output "$mode" -report-html "$page" -cmd '
		    echo I am $LAB_HOST
		    test $LAB_HOST != web02 || echo alone >&2'
		expect_status 0
		outputs=$(data output-data | jq -c '.[] |
		    [.stream, .hosts, .seqs, .text, .is_truncated]')
		[ "$outputs" = '[1,"web[01-03]",[0,1,2],"I am web01\n",false]
[2,"web02",[1],"alone\n",false]' ]
	done
}

@test "the page says what was run, but not with which -env" {
	printf 'echo "$TOKEN"\n' >"$dir/setup.sh"
	batch -g web -x web03 -env TOKEN=sesame -script "$dir/setup.sh" \
	    -output none -report-html "$page" -- 'two words' plain
	expect_status 0
	data run-data | jq -e '.program == "batch_run" and
	    .task == "setup.sh '"'two words'"' plain" and
	    .choice == "-g web -x web03"'
	[ "$(data run-data | jq -r .version)" = "$("$batch_run" --version |
	    sed -n '1s/batch_run //p')" ]
	expect_no_bytes <(sed 's/.*id="output-data">.*//' "$page") TOKEN=sesame
	"$top_builddir/src/batch_scp" -known-hosts "$known_hosts" -g web \
	    -action put -local "$dir/setup.sh" -remote setup.sh \
	    -report-html "$page" >/dev/null 2>&1
	[ "$(data run-data | jq -r .task)" = "put $dir/setup.sh to setup.sh" ]
}

@test "the page has hosts without output, with how they ended, and no stream" {
	batch -g web -h 127.77.9.9:1 -report-html "$page" \
	    -cmd 'test $LAB_HOST = web03 || { echo text; exit 3; }'
	expect_status 3
	data output-data | jq -e 'map([.stream, .hosts]) == [[1, "web[01-02]"],
	    [0, "127.77.9.9:1"], [0, "web03"]]'
	needs_browser
	drive <<-'END'
	expect [...document.querySelectorAll("#groups > *")].map((group) => group.innerText.split("\n")[0].trim()).length === 3
	expect document.querySelector("#groups summary").innerText.includes("failed, exit 3")
	expect document.querySelector("#groups summary").innerText.includes("2 hosts, stdout")
	expect document.querySelectorAll("#groups .bare").length === 2
	expect document.querySelector("#groups .bare").innerText.includes("unreachable, connect, Connection refused")
	expect document.querySelector("#groups .bare").innerText.includes("1 host, no output")
	END
}

@test "the signs of the page are in every common font" {
	local uncommon
	# Of Latin-1 and WGL4 those that are used.
	uncommon=$(grep -ohE '\\[0-9a-f]{2,4}' \
	    "$top_srcdir"/src/report/html/*.css | cut -c 2- | sort -u |
	    grep -vxE 'd7|f8|2013|2026|2195|221a|25a0|25b2|25bc|25ca' || true)
	[ -z "$uncommon" ] || {
		echo "$uncommon"
		return 1
	}
}

@test "-fold-ignore is of the page, too, whatever else is printed" {
	batch -g web -output live -fold-ignore 'n [0-9]+' -report-html "$page" \
	    -cmd 'echo "n ${LAB_HOST#web}"'
	expect_status 0
	expect_output 'web01: n 01' 'web02: n 02' 'web03: n 03'
	data output-data | jq -e 'map(.hosts) == ["web[01-03]"]'
}

@test "the page holds the first 64 KiB of an output" {
	batch -h web01 -output none -report-html "$page" \
	    -cmd 'head -c 65540 /dev/zero | tr "\0" x'
	expect_status 0
	data output-data | jq -e '.[0] | .is_truncated and
	    (.text | length) == 65536'
}

@test "a page that cannot be written stops the run before any host" {
	local path
	mkdir "$dir/folder"
	for path in "$dir/no/page" "$dir/folder" /dev/null; do
		batch -h web01 -cmd 'touch "$HOME/ran"' -report-html "$path"
		expect_status 2
		expect_match "$err" "${path##*/}: "
	done
	[ ! -e "$(host_file web01 ran)" ]
	[ ! -e "$report" ]
	[ -c /dev/null ]
	[ "$(ls -A "$dir")" = folder ]
}

@test "a page is refused where other output goes" {
	batch -h web01 -cmd 'touch "$HOME/other"' -report-html "$report"
	expect_status 2
	expect_match "$err" 'options -report and -report-html: .*report'
	batch -h web01 -cmd 'touch "$HOME/other"' -report-html "$out"
	expect_status 2
	expect_match "$err" 'other output goes there'
	[ ! -e "$(host_file web01 other)" ]
}

@test "an older page stays until the run has ended, and keeps its mode and link" {
	echo old >"$dir/real"
	chmod 640 "$dir/real"
	ln -s real "$page"
	batch_start -h web01 -report-html "$page" \
	    -cmd 'echo here; until [ -e "$HOME/go" ]; do sleep 0.05; done'
	wait_until grep -q here "$out"
	[ "$(cat "$page")" = old ]
	touch "$(host_file web01 go)"
	batch_wait
	expect_status 0
	[ -L "$page" ]
	[ "$(stat -c %a "$dir/real")" = 640 ]
	grep -q '<title>' "$dir/real"
}

@test "a run that is interrupted leaves its page" {
	batch_start -h web01,web02 -f 1 -report-html "$page" \
	    -cmd 'echo here; sleep 60'
	wait_until grep -q here "$out"
	kill -INT "$pid"
	batch_wait
	expect_status 130
	data record-data | jq -e 'map(.host) == ["web01", "web02"] or
	    map(.host) == ["web02", "web01"]'
}

@test "a run that is killed leaves nothing of its page" {
	batch_start -h web01 -report-html "$page" -cmd 'echo here; sleep 60'
	wait_until grep -q here "$out"
	kill -KILL "$pid"
	batch_wait
	expect_status 137
	not compgen -G "${page%/*}/.batch_page.*"
	[ ! -e "$page" ]
}

# Its outputs take long to compare.
page_of_much() {
	local word count=$1
	shift
	for word in a b c d e f g h; do
		set -- "$@" -fold-ignore "no $word+ such (line|word)s*"
	done
	batch_start -g web -output none -capture 64M -report-html "$page" "$@" \
	    -cmd "seq $count"' | sed "s/^/$LAB_HOST no line /"'
	wait_until test -e "$report"
	wait_until has_lines 3 "$report"
}

has_lines() {
	[ "$(wc -l <"$2")" -eq "$1" ]
}

@test "a run answers while it compares outputs for the page alone" {
	page_of_much 300000
	kill -USR1 "$pid"
	wait_until grep -q '^3 hosts: 3 done' "$err"
	[ ! -e "$page" ]
	batch_wait
	expect_status 0
	data run-data | jq -e '.are_outputs_cut == false'
	data output-data | jq -e 'map(.hosts) == ["web[01-03]"]'
}

@test "after one Ctrl-C the page is not waited for without end, and is a page" {
	page_of_much 900000
	kill -INT "$pid"
	batch_wait
	expect_status 130
	data record-data | jq -e 'length == 3'
	data output-data | jq -e 'length <= 1'
}

@test "a second Ctrl-C leaves the page without the outputs to come, and says so" {
	page_of_much 900000
	kill -INT "$pid"
	sleep 0.2
	kill -INT "$pid" 2>/dev/null || true
	batch_wait
	expect_status 130
	data record-data | jq -e 'length == 3'
	data run-data | jq -e '.are_outputs_cut'
	data output-data | jq -e '. == []'
	needs_browser
	drive <<-'END'
	expect document.querySelector("#cut").checkVisibility()
	END
}

@test "a run whose reader is gone leaves its page, too" {
	env --default-signal=PIPE "$batch_run" -known-hosts "$known_hosts" \
	    -h web01 -report-html "$page" -cmd 'yes' 2>"$err" 3>&- | head -n 1
	data record-data | jq -e 'length == 1'
	[ "$(ls -A "$dir")" = run.html ]
}

@test "a full disk is told, and leaves the old page" {
	echo old >"$page"
	status=0
	(
		trap '' XFSZ
		ulimit -f 40
		exec "$batch_run" -known-hosts "$known_hosts" \
		    -h "$(seq -s, -f '127.77.9.9:%g' 1 300)" \
		    -report-html "$page" -cmd true
	) >"$out" 2>"$err" 3>&- || status=$?
	expect_status 5
	expect_match "$err" 'run.html: File too large'
	[ "$(cat "$page")" = old ]
	[ "$(ls -A "$dir")" = run.html ]
}

@test "the page of a run works in a browser and loads nothing" {
	needs_browser
	batch -g web -report-html "$page" \
	    -cmd 'echo I am $LAB_HOST; test $LAB_HOST != web02'
	expect_status 1
	drive <<-'END'
	expect document.title === "batch_run: echo I am $LAB_HOST; test $LAB_HOST != web02, 3 hosts"
	expect document.querySelectorAll("#hosts tr[data-index]").length === 3
	expect document.querySelector("#failures tbody").innerText.includes("web02")
	expect document.querySelectorAll("#hosts tr.failed i.run").length === 1
	expect document.querySelectorAll("#groups details").length === 2
	expect document.querySelector("#groups pre").textContent === "I am web01\n"
	expect document.querySelector("#percentiles").textContent.includes("median")
	END
}

@test "what hosts and their outputs hold never runs" {
	needs_browser
	make_page 20
	[ "$(grep -c '<script' "$page")" -eq 4 ]
	expect_no_bytes "$page" 'document.title=.run.</script>' '<img' '<svg'
	drive <<-'END'
	expect document.title.startsWith("batch_run: </script><script>")
	expect document.querySelectorAll("img, svg, iframe, object").length === 0
	expect document.scripts.length === 4
	hover #row-3
	expect document.querySelector("#record").innerText.includes("</script><script>document.title='run'</script>")
	expect document.querySelector("#failures").innerText.includes("<svg/onload=document.title='run'>")
	expect document.querySelector("#groups").innerText.includes("<!-- <script> --><img src=x onerror=")
	expect document.querySelector("#groups").innerText.includes("\\u{2028}")
	expect document.title.startsWith("batch_run: </script><script>")
	END
}

@test "the policy of the page stops a script that would get in" {
	needs_browser
	make_page 5
	sed -i 's|</body>|<script>document.title="run"</script></body>|' "$page"
	run -1 drive <<-'END'
	expect document.title.startsWith("batch_run: </script><script>")
	END
	[[ "$output" == *"Content Security Policy"* ]] || {
		echo "$output"
		return 1
	}
}

@test "5,000 hosts can be searched, filtered and sorted with the mouse" {
	needs_browser
	make_page 5000
	drive <<-'END'
	expect document.querySelector("#shown").textContent === "5,000 hosts"
	# Only rows that can be seen are there.
	expect document.querySelectorAll("#hosts tr[data-index]").length < 100
	expect document.querySelectorAll("#groups details").length === 100

	# Up, down, and as it was.
	click #hosts th[data-key=time] button
	expect document.querySelector("#hosts th[aria-sort]").getAttribute("aria-sort") === "ascending"
	expect document.querySelector("#row-0").innerText.includes("web00099")
	click #hosts th[data-key=time] button
	expect document.querySelector("#row-0").innerText.includes("web01751")
	click #hosts th[data-key=time] button
	expect document.querySelector("#hosts th[aria-sort]") === null
	expect document.querySelector("#row-0").innerText.includes("web00000")

	click #query
	type web0123 WEB
	expect document.querySelector("#shown").textContent === "10 of 5,000 hosts"
	expect document.querySelectorAll("#hosts tr[data-index]").length === 10
	expect document.querySelectorAll("#groups details").length === 1
	expect document.querySelector("#groups summary").innerText.includes("9 ok")
	expect document.querySelector("#groups summary").innerText.includes("1 failed")
	click #statuses .failed
	expect document.querySelector("#shown").textContent === "1 of 5,000 hosts"
	expect document.querySelector("#statuses .failed").getAttribute("aria-pressed") === "true"
	click #statuses .failed
	click #query
	key End
	type zzz
	expect document.querySelector("#hosts tbody").innerText.trim() === "No host matches."
	END
}

@test "a search finds hosts by what they have sent, too" {
	needs_browser
	make_page 5000
	drive <<-'END'
	click #query
	type KERNEL 6.1.1230
	expect document.querySelector("#shown").textContent === "10 of 5,000 hosts"
	expect document.querySelector("#row-9").innerText.includes("web01239")
	expect document.querySelectorAll("#groups details").length === 1
	END
}

@test "a bar shows earlier tries, and in the colour of its status where it ended" {
	needs_browser
	make_page 50
	drive <<-'END'
	expect document.querySelectorAll("#row-11 .track i.tries + i.connect").length === 1
	expect document.querySelectorAll("#row-12 .track i.tries").length === 0
	expect getComputedStyle(document.querySelector("#row-7 .track .ended")).boxShadow.startsWith(getComputedStyle(document.querySelector("#row-7 .mark")).color)
	expect !getComputedStyle(document.querySelector("#row-8 .track i.connect")).boxShadow.startsWith(getComputedStyle(document.querySelector("#row-8 .mark")).color)
	END
}

@test "a run of hours has whole hours at its axis, and no time is cut" {
	needs_browser
	make_page 40 4000
	drive 1000x900 <<-'END'
	expect [...document.querySelectorAll("#axis span")].map((label) => label.textContent).join() === "3 h,6 h"
	expect [...document.querySelectorAll("#hosts td.number")].every((cell) => cell.scrollWidth <= cell.clientWidth)
	expect [...document.querySelectorAll(".bin span")].every((label) => /^[0-9]+(:30)? (min|h)$/.test(label.textContent))
	END
}

@test "a page without hosts is a page" {
	needs_browser
	make_page 0
	drive <<-'END'
	expect document.querySelector("#subtitle").textContent === "0 hosts in 4.00 s"
	expect document.querySelector("#histogram").hidden
	END
}

@test "on paper there are all rows" {
	needs_browser
	make_page 500
	drive <<-END
	expect document.querySelectorAll("#hosts tr[data-index]").length < 100
	expect (addEventListener("beforeprint", () => document.title = document.querySelectorAll("#hosts tr[data-index]").length), true)
	paper $BATS_TEST_TMPDIR/run.pdf
	expect document.title === "500"
	expect document.querySelectorAll("#hosts tr[data-index]").length < 100
	END
}

@test "the timeline goes to the last of 5,000 hosts by wheel and by keys" {
	needs_browser
	make_page 5000
	drive <<-'END'
	click #row-1
	expect document.querySelector("#record.kept").innerText.includes("web00001")
	wheel 99999999 document.querySelector("#row-4999") !== null
	expect document.querySelector("#row-0") === null
	key Escape
	expect document.querySelector("#record").hidden

	expect document.activeElement.id === "hosts"
	key Home
	expect document.querySelector("[aria-selected=true]").id === "row-0"
	key ArrowDown
	key PageDown
	key End
	expect document.querySelector("[aria-selected=true]").id === "row-4999"
	expect document.querySelector("#hosts").getAttribute("aria-activedescendant") === "row-4999"
	key ArrowUp
	key Enter
	expect document.querySelector("#record.kept").innerText.includes("web04998")
	expect document.activeElement.id === "record"
	key Escape
	expect document.querySelector("#record").hidden
	expect document.activeElement.id === "hosts"
	END
}

@test "the latency histogram counts each host that was started" {
	needs_browser
	make_page 1000
	drive <<-'END'
	expect document.querySelectorAll(".bin").length > 3
	expect [...document.querySelectorAll(".bin")].map((bin) => bin.title.match(/: ([\d,]+) ok, ([\d,]+) not ok/)).reduce((sum, [, good, bad]) => sum + Number(good.replace(",", "")) + Number(bad), 0) === 990
	# Of those alone that got there.
	expect (document.querySelector("#part").value = "auth", document.querySelector("#part").dispatchEvent(new Event("change")))
	expect [...document.querySelectorAll(".bin b")].reduce((sum, label) => sum + Number(label.textContent), 0) === 970
	expect (document.querySelector("#part").value = "cost", document.querySelector("#part").dispatchEvent(new Event("change")))
	# Nearest rank, of 990 hosts.
	expect document.querySelector("#percentiles").textContent.startsWith("median 5")
	END
}

@test "in a narrow window names have the room" {
	needs_browser
	make_page 50
	sed -i 's/"web000\([0-9]*\)"/"storage-node-\1.dc1.example"/g' "$page"
	drive 500x900 <<-'END'
	expect document.querySelector("#row-1 td").textContent === "storage-node-01.dc1.example"
	expect [...document.querySelectorAll("#hosts td:first-child")].every((cell) => cell.scrollWidth <= cell.clientWidth)
	expect [...document.querySelectorAll("#hosts tr[data-index]")].every((row) => row.offsetHeight === 22)
	END
}

@test "the page has a light and a dark look, and fits narrow and wide windows" {
	needs_browser
	make_page 50
	local size scheme back
	for size in 1400x900 400x800; do
		for scheme in light dark; do
			drive "$size" "$scheme" <<-'END' >"$out"
			expect document.documentElement.scrollWidth <= innerWidth
			print getComputedStyle(document.body).backgroundColor
			END
			back="$back $(cat "$out")"
		done
	done
	[ "$(tr -d ' ' <<<"$back" | sed 's/)/)\n/g' | sort -u | grep -c rgb)" -eq 2 ]
}
