# The environment is made by the first target that needs it and made again when the lock changes.
STAGE ?= prod
PLAYBOOKS ?= playbooks
STACK ?= hub-responder-$(STAGE)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HUB := $(BIN)/hub-responder
SAM := .venv-sam/bin/sam
SECURITY := .venv-security/bin
SAM_ENV := AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0

.PHONY: run test faults check lint types template security sam-check conformance bench fuzz synth build pictures deploy clean lock help

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.ready ## Send the example events through the responder in the sandbox
	$(HUB) run events/ --playbooks $(PLAYBOOKS)

test: $(VENV)/.ready ## The tests
	$(BIN)/pytest -n auto

faults: $(VENV)/.ready ## Kill at every effect, fail every dependency of every playbook; a table of what came of it
	$(BIN)/pytest -n 2 -m '' tests/faults

check: lint types template security test conformance sam-check ## The whole gate

lint: $(VENV)/.ready ## Style and likely mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready ## mypy, strict
	$(BIN)/mypy

template: $(VENV)/.ready ## Generated files are what their sources say; cfn-lint
	$(HUB) synth --check --playbooks $(PLAYBOOKS)
	AWS_DEFAULT_REGION=us-east-1 $(BIN)/cfn-lint template.yaml

security: .venv-security/.ready ## checkov over the template; known vulnerabilities of what is pinned
	$(SECURITY)/checkov --config-file .checkov.yaml
	@$(SECURITY)/python tests/security/audit.py $(SECURITY)/pip-audit $(wildcard requirements*.lock)

sam-check: build .venv-sam/.ready ## sam validate --lint and sam build, without AWS
	AWS_DEFAULT_REGION=us-east-1 $(SAM_ENV) $(SAM) validate --lint --template-file template.yaml
	AWS_DEFAULT_REGION=us-east-1 $(SAM_ENV) $(SAM) build --template-file template.yaml

conformance: $(VENV)/.ready .venv-pytmv1/.ready ## A public client of Vision One against its simulator
	.venv-pytmv1/bin/python tests/conformance/pytmv1_client.py $(HUB)

bench: $(VENV)/.ready ## Import time, memory, calls and CPU per finding
	cd tests && ../$(BIN)/python -m benchmarks

fuzz: $(VENV)/.ready .venv-fuzz/.ready ## Try hostile inputs, led by coverage (minutes; not part of check)
	cd tests && PYTHONPATH=../functions:../toolkit:../.venv-fuzz ../$(BIN)/python -m fuzz $(FUZZ)

synth: $(VENV)/.ready ## Write template.yaml and the other generated files
	$(HUB) synth --playbooks $(PLAYBOOKS)

build: $(VENV)/.ready ## Make build/, which is what ships
	$(HUB) build --stage $(STAGE) --playbooks $(PLAYBOOKS)

pictures: $(VENV)/.ready ## Take docs/pictures/ again (needs Chromium)
	$(HUB) run events/ --playbooks $(PLAYBOOKS)
	$(BIN)/python -m hub_toolkit.preview.pictures docs/pictures inspector-coverage \
	  build/audit/audit-report.html

deploy: build .venv-sam/.ready ## Build, and deploy with SAM to the account of your credentials
	$(SAM) deploy --template-file template.yaml --stack-name $(STACK) --resolve-s3 \
	  --capabilities CAPABILITY_IAM --parameter-overrides Stage=$(STAGE)

clean: ## Remove what was made, the environments included
	rm -rf build dist .aws-sam .venv .venv-sam .venv-pytmv1 .venv-security .venv-fuzz .bench tests/.fuzz .mypy_cache .pytest_cache .ruff_cache .hypothesis

lock: $(VENV)/.ready ## Pin the newest allowed versions again (needs uv in the environment)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	  --extra toolkit --extra dev pyproject.toml --output-file requirements.lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "hub-responder needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 ..."; exit 2; }
	@echo "Making $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --editable .
	@touch $@

# SAM pins its own dependencies, so it lives in an environment of its own.
.venv-sam/.ready: requirements-sam.lock
	@echo "Making .venv-sam (once)"
	@$(PYTHON) -m venv .venv-sam
	@.venv-sam/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --no-deps --requirement requirements-sam.lock
	@touch $@

# pytmv1 pins pydantic, which nothing else here wants.
.venv-pytmv1/.ready: requirements-pytmv1.lock
	@echo "Making .venv-pytmv1 (once)"
	@$(PYTHON) -m venv .venv-pytmv1
	@.venv-pytmv1/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --no-deps --requirement requirements-pytmv1.lock
	@touch $@

# checkov pins some hundred packages, which nothing else here wants.
.venv-security/.ready: requirements-security.lock
	@echo "Making .venv-security (once)"
	@$(PYTHON) -m venv .venv-security
	@.venv-security/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --no-deps --requirement requirements-security.lock
	@touch $@

# Atheris has wheels for Linux on x86-64 only: nothing but fuzzing may need it.
.venv-fuzz/.ready: requirements-fuzz.lock
	@echo "Making .venv-fuzz (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --only-binary=:all: --upgrade --target .venv-fuzz --requirement requirements-fuzz.lock
	@touch $@
