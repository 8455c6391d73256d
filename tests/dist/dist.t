#!/bin/bash
# timeout: 3600
# What 'make dist' makes: the same bytes in another directory, at another time, and packages that can be used. GALLOP_DIST
# is where it has made them.
# shellcheck source=../live/lib.bash source-path=SCRIPTDIR
. "$(dirname "$0")/../live/lib.bash"
need_tools jq dpkg-deb lintian ldd
dist=$GALLOP_DIST
arch=$(dpkg --print-architecture)
version=$(sed -n 's/^VERSION := //p' "$top/Makefile")

# --- the same again --------------------------------------------------------------------------------------

# Elsewhere, with a name of another length, and with file times of now.
again=$T/some/where/else
mkdir -p "$again"
(cd "$top" && git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$again")
epoch=$(git -C "$top" log -1 --format=%ct)
if succeeds "built elsewhere" make -s -C "$again" -j"$(nproc)" SOURCE_DATE_EPOCH="$epoch" dist-files; then
	is "the same bytes" "$(< "$again/build/dist/SHA256SUMS")" "$(< "$dist/SHA256SUMS")"
fi
succeeds "the sums are of these files" sh -c "cd '$dist' && sha256sum -c --quiet SHA256SUMS"
succeeds "no name of a directory" not grep -aF -e "$T" -e "$top/" "$again/build/dist/.$(uname -m)/gallop-static" "$dist/gallop-$version-linux-$arch"

# --- the tarball -----------------------------------------------------------------------------------------

name=gallop-$version-linux-$arch
tar -C "$T" -xf "$dist/$name.tar.gz"
is "tarball: whose files" "$(tar -tvf "$dist/$name.tar.gz" | awk '{ print $2 }' | sort -u)" 0/0
for file in README.md LICENSE bin/gallop share/man/man1/gallop.1 share/man/man1/gallop-record.1 share/bash-completion/completions/gallop \
	container/daemonset.yaml; do
	succeeds "tarball: $file" [ -s "$T/$name/$file" ]
done
matches "tarball: gallop needs no library" "$(LC_ALL=C ldd "$T/$name/bin/gallop" 2>&1)" 'not a dynamic executable'
matches "tarball: gallop runs" "$("$T/$name/bin/gallop" version)" "^gallop ${version//./\\.}"
succeeds "the static binary is the tarball's" cmp "$dist/$name" "$T/$name/bin/gallop"

# --- the Debian package ------------------------------------------------------------------------------------

deb=$dist/gallop_${version}_$arch.deb
nothing "deb: lintian" lintian --allow-root --fail-on error,warning,info --display-info "$deb"
is "deb: version" "$(dpkg-deb -f "$deb" Version)" "$version"
depends=$(dpkg-deb -f "$deb" Depends)
for library in libc6 libcap-ng0 libelf1 libsqlite3-0 libncursesw6 libtinfo6 zlib1g; do
	matches "deb: depends on $library" ", $depends" ", $library([ ,]|\$)"
done
dpkg-deb -R "$deb" "$T/deb"
succeeds "deb: md5sums" sh -c "cd '$T/deb' && md5sum -c --quiet DEBIAN/md5sums"
is "deb: md5sums has all files" "$(wc -l < "$T/deb/DEBIAN/md5sums")" "$(find "$T/deb/usr" -type f | wc -l)"
matches "deb: gallop runs" "$("$T/deb/usr/bin/gallop" version)" "^gallop ${version//./\\.}"
matches "deb: a page of the manual" "$(gzip -dc "$T/deb/usr/share/man/man1/gallop-top.1.gz" | grep -m 1 '^\.TH')" '^\.TH .*[Gg][Aa][Ll][Ll][Oo][Pp]-[Tt][Oo][Pp]'
if [ "$(id -u)" = 0 ]; then
	mkdir -p "$T/admin/updates" "$T/admin/info"
	: > "$T/admin/status"
	mkdir "$T/installed"
	succeeds "deb: dpkg installs it" dpkg --admindir="$T/admin" --instdir="$T/installed" --force-depends --log=/dev/null --install "$deb"
	succeeds "deb: dpkg takes it away" dpkg --admindir="$T/admin" --instdir="$T/installed" --log=/dev/null --purge gallop
	nothing "deb: nothing stays" find "$T/installed" -type f
fi
done_testing
