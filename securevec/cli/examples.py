"""A line or two to start from, under the help of each command. A test reads each with the parser of its command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FIRST_STEPS: Final = """\
First steps:
  securevec demo                         # everything once, in under a minute
  export SECUREVEC_HOME=./home
  securevec init
  securevec tenant create acme
  securevec ingest docs/ --to acme/docs  # a folder of .md .txt .html .pdf .docx
  securevec search acme/docs "who mended the roof?"

Exit codes: 0 done, 1 a check failed, 2 the command line, 3 refused, 4 something
needed is unavailable, 5 incomplete: run it again (docs/exit-codes.md)."""
"""Under the help of the program itself."""

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "demo": ("securevec demo --fast", "securevec demo --keep ./demo-home"),
    "init": ("securevec init --home ./helpdesk", "securevec init --backend chroma://127.0.0.1:8000"),
    "upgrade": ("securevec upgrade --dry-run", "securevec upgrade"),
    "doctor": ("securevec doctor", "securevec doctor --json --home ./helpdesk"),
    "ingest": (
        "securevec ingest docs/ --to acme/docs --dry-run",
        "securevec ingest docs/ --to acme/docs --sync",
        "securevec ingest tickets.csv --to acme/tickets --schema schema.py:Ticket",
        "securevec ingest export.csv --to acme/tickets --encoding cp1252 --strict",
    ),
    "search": (
        'securevec search acme/tickets "refund never arrived" -k 5',
        'securevec search acme/tickets "refund" --where status=open --by-record',
        "securevec search acme/tickets --like T-1",
        "securevec search acme/tickets - < question.txt",
    ),
    "get": ("securevec get acme/tickets T-1",),
    "count": ("securevec count acme/tickets --where status=open",),
    "delete": ("securevec delete acme/tickets T-1 T-2", "securevec delete acme/tickets --where status=closed --yes"),
    "describe": ("securevec describe acme/tickets",),
    "update": ("securevec update acme/tickets T-1 --set status=closed --clear notes",),
    "accept-detector": ("securevec accept-detector acme/tickets", "securevec accept-detector --all"),
    "export": ("securevec export acme/tickets --out tickets.jsonl",),
    "verify": ("securevec verify acme/tickets",),
    "leakage": ("securevec leakage acme/tickets",),
    "inspect": ("securevec inspect chroma:./old-store", "securevec inspect qdrants://db.example:6333"),
    "import": (
        "securevec import chroma:./old --collection kb --text-field document --tenant-field org --to docs --dry-run",
    ),
    "eval": ("securevec eval labelled.jsonl", "securevec eval labelled.jsonl --label EMAIL_ADDRESS=EMAIL"),
    "scan-text": ("securevec scan-text letter.txt --redact", "securevec scan-text - --strict < letter.txt"),
    "bench": ("securevec bench --points 2000 --out bench.html", "securevec bench --vectors mine.npy --queries 100"),
    "attack": ("securevec attack", "securevec attack --backend chroma --only reserved-key"),
    "completion": ("securevec completion bash > ~/.local/share/bash-completion/completions/securevec",),
    "schema infer": ("securevec schema infer tickets.csv > schema.py",),
    "tenant create": ("securevec tenant create acme",),
    "tenant list": ("securevec tenant list --json",),
    "tenant show": ("securevec tenant show acme",),
    "tenant suspend": ("securevec tenant suspend acme",),
    "tenant resume": ("securevec tenant resume acme",),
    "tenant quota": ("securevec tenant quota acme --points 100000 --bytes 2G",),
    "tenant promote": ("securevec tenant promote acme --to collection --receipt acme.move.json",),
    "tenant delete": ("securevec tenant delete acme --receipt acme.receipt.json --yes",),
    "tenant purge": ("securevec tenant purge acme", "securevec tenant purge acme --unnamed"),
    "tenant grant": ("securevec tenant grant acme svc:helpdesk reader",),
    "tenant revoke": ("securevec tenant revoke acme svc:helpdesk reader",),
    "subject find": ("securevec subject find - --tenant acme < identifiers.txt",),
    "subject export": ("securevec subject export - --tenant acme --out person.json < identifiers.txt",),
    "subject erase": (
        "securevec subject erase --file leavers.txt --tenant acme --receipt leavers.receipt.json",
        "securevec subject erase - --tenant acme --receipt person.receipt.json --yes < identifiers.txt",
    ),
    "retention rules": ("securevec retention rules",),
    "retention set": (
        "securevec retention set acme/tickets --max-age 180d",
        "securevec retention set --classification restricted --max-age 30d",
    ),
    "retention remove": ("securevec retention remove acme/tickets",),
    "retention plan": ("securevec retention plan", "securevec retention plan --tenant acme --json"),
    "retention apply": ("securevec retention apply --plan DIGEST --receipts receipts/",),
    "hold add": (
        'securevec hold add acme/tickets --record T-1 --reason "case 7"',
        'securevec hold add acme --subject - --reason "case 7" < identifiers.txt',
    ),
    "hold list": ("securevec hold list acme",),
    "hold show": ("securevec hold show acme HOLD",),
    "hold release": ("securevec hold release acme HOLD",),
    "models list": ("securevec models list",),
    "models allow": (
        "securevec models allow all-MiniLM-L6-v2 --kind embedder --class internal --here",
        "securevec models allow gpt-5 --class internal --provider azure --region eu",
        "securevec models allow gpt-5 --class internal --class restricted --tenant acme",
    ),
    "models deny": ("securevec models deny gpt-5", "securevec models deny gpt-5 --tenant acme"),
    "models check": ("securevec models check gpt-5 acme/tickets",),
    "models clear": ("securevec models clear --yes",),
    "jobs list": ("securevec jobs list --open",),
    "jobs show": ("securevec jobs show JOB --receipt job.receipt.json",),
    "jobs run": ("securevec jobs run --once",),
    "jobs retry": ("securevec jobs retry JOB",),
    "jobs cancel": ("securevec jobs cancel JOB",),
    "cloak report": ("securevec cloak report acme/tickets",),
    "keys list": ("securevec keys list",),
    "keys rotate": ("securevec keys rotate root", "securevec keys rotate acme/tickets"),
    "keys reseal": ("securevec keys reseal acme/tickets --receipt reseal.receipt.json",),
    "keys reindex": ("securevec keys reindex acme/tickets",),
    "keys recloak": ("securevec keys recloak acme/tickets",),
    "keys renew": ("securevec keys renew acme --key token",),
    "keys test-provider": ("securevec keys test-provider",),
    "keys export-public": ("securevec keys export-public --out receipts.pub.pem",),
    "audit tail": (
        "securevec audit tail -n 50",
        "securevec audit tail -n 1000 --json",
        "securevec audit tail --follow --format syslog > audit.syslog",
    ),
    "audit verify": (
        "securevec audit verify",
        "securevec audit verify --audit-dir copy/audit --pubkey receipts.pub.pem",
    ),
    "audit export": (
        "securevec audit export --out audit.jsonl --since 24h",
        "securevec audit export --out audit.jsonl --since 2026-11-01 --until 2026-12-01",
        "securevec audit export --out - --format cef --since 24h",
    ),
    "audit prove": ("securevec audit prove 01M8F64S0J33ZKPR3REYSTCN52 --out proof.jsonl",),
    "audit verify-proof": ("securevec audit verify-proof proof.jsonl --pubkey receipts.pub.pem",),
    "receipt verify": ("securevec receipt verify acme.receipt.json --pubkey receipts.pub.pem",),
    "backup create": ("securevec backup create /backups/2026-11-26",),
    "backup verify": ("securevec backup verify /backups/2026-11-26 --pubkey receipts.pub.pem",),
    "backup tombstones": ("securevec backup tombstones deleted.json --since /backups/2026-11-26",),
    "backup restore": (
        "securevec backup restore /backups/2026-11-26 --home ./restored --tombstones deleted.json",
        "securevec backup restore /backups/2026-11-26 --home ./restored --nothing-newer",
    ),
}
"""By the words of the command."""


def epilog(command: str) -> str | None:
    """The examples of a command, laid out for its help; ``None`` when it has none."""
    lines = EXAMPLES.get(command)
    return "\n".join(["Examples:", *(f"  {line}" for line in lines)]) if lines else None
