# What one can do here; every target is one line into build/ or npm. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: run test check binary image image-torture release refresh bench clean help

run: ## start the broker from the sources, its state in ./.midge/
	@build/with.sh npm run --silent web
	@build/with.sh node src/main.ts serve --state .midge

test: ## run every test; those that miss a program are listed with its package
	@build/with.sh npm run --silent test

check: ## format, lint, types and the floor plan
	@build/with.sh npm run --silent check

binary: ## make dist/midge-linux-x64 and dist/midge-linux-arm64
	@build/with.sh npm run --silent binary

image: ## make dist/midge-VERSION-arm64.img.xz for a Raspberry Pi's card, as root; BASE=FILE puts it onto Raspberry Pi OS
	@build/image.sh --with-program

image-torture: ## cut the power of the image 50 times while messages flow and 50 times while it is updated, and all else that takes hours, as root
	@MIDGE_CUTS=50 build/with.sh node build/test.ts test/torture test/image/card-updates.test.ts

release: ## make the files of a release in dist/midge-VERSION/: make release VERSION=x [KEY=FILE] [WITHOUT=image]
	@build/with.sh npm run --silent release

refresh: ## give the manifest of a release 180 days more: make refresh VERSION=x KEY=FILE
	@build/with.sh npm run --silent refresh

bench: ## compare speed with mosquitto and stock Aedes, and write docs/speed.md
	@build/with.sh npm run --silent bench -- --docs
	@build/with.sh npm run --silent bench:bridge

clean: ## remove what was installed and built (the broker's state in ./.midge/ stays)
	@rm -rf dist .cache node_modules

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[a-z ]* ## /\1\t/p' Makefile | expand -t 16
