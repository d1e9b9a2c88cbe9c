"""Settings, options and messages: what may be typed, what is refused, and that advice can be followed."""
import glob
import os
import re
import shlex
import shutil

import cases
from cases import TOY, case

SMALL = TOY + ["--vocabulary", "100"]
LM = TOY + "--vocabulary 60 --architecture lm --positions 32".split()


def prepared(place, *more):
    """A finished run `a` of two steps on pairs.tsv."""
    place.write("pairs.tsv", cases.pairs())
    place.dtrain("train", "--corpus", "pairs.tsv", "--run", "a", *SMALL, "--steps", "2", *more).expect(code=0)


def commands(result):
    """The commands that a message recommends."""
    found = re.findall(r"'(dtrain [^']*)'", result.text)
    if not found:
        raise cases.Failure(f"no command is recommended\n{result}")
    return list(dict.fromkeys(found))


def follow(place, result):
    for command in commands(result):
        place.dtrain(*shlex.split(command)[1:]).expect(code=0)


def refused(place, line, *says, code=64):
    """One sentence and a code."""
    words = shlex.split(line) if isinstance(line, str) else line
    return place.dtrain(*words).expect(code=code, says=says, sentence=True, within=20)


@case("settings that change no number may change on --resume, and the digest stays")
def resume_changes_what_changes_no_number(place):
    place.write("pairs.tsv", cases.pairs())
    place.write("elsewhere/same.tsv", cases.pairs())
    start = ["train", "--corpus", "pairs.tsv", *SMALL]
    whole = place.dtrain(*start, "--run", "whole", "--steps", "9").expect(code=0).digest
    place.dtrain(*start, "--run", "a", "--steps", "1").expect(code=0)
    changes = ["--time-limit 1h", "--peer-timeout 7s", "--transport tcp", "--workers 2", "--keep 5",
               "--on-nan skip --checkpoint-every 3 --validate-every 2 --log-every 1 --log-layers-every 2",
               "--threads 2 --no-balance --wait-for-all --beam 2",
               "--corpus elsewhere/same.tsv"]
    for number, change in enumerate(changes):
        result = place.dtrain("train", "--resume", "--run", "a", "--steps", str(number + 2), *change.split())
        result.expect(code=0, not_says="refused|leave it out")
    if result.digest != whole:
        raise cases.Failure(f"another digest than {whole}\n{result}")


@case("a run made by epochs goes on by steps or epochs, one made by steps by epochs")
def resume_by_another_limit(place):
    place.write("pairs.tsv", cases.pairs())
    place.dtrain("train", "--corpus", "pairs.tsv", "--run", "a", *SMALL, "--epochs", "1").expect(code=0)
    done = place.dtrain("train", "--resume", "--run", "a").expect(code=0, says="--epochs 2")
    follow(place, done)
    place.dtrain("train", "--resume", "--run", "a", "--steps", "60").expect(code=0, says="step 60 digest")
    place.dtrain("train", "--resume", "--run", "a", "--epochs", "5").expect(code=0, says="step .* digest")
    text = place.read("a/configuration.yaml")
    if "epochs: " not in text or "\nsteps: " in text:
        raise cases.Failure(f"configuration.yaml does not tell the limit\n{text}")


@case("settings that change the numbers are refused by name on --resume, with the way that works")
def resume_refuses_by_name(place):
    prepared(place)
    for change in ["--learning-rate 0.001", "--shards 4", "--seed 5", "--dropout 0.2", "--batch-tokens 300",
                   "--wire int8", "--collective ring", "--warmup 3", "--label-smoothing 0.2",
                   "--attention-dropout 0.1", "--clip-norm 2", "--weight-decay 0.1", "--initialisation normal"]:
        flag = change.split()[0]
        result = refused(place, f"train --resume --run a {change}", f"^dtrain: {flag} is .* in the run", "--from a")
    follow(place, result)
    for change in ["--d-model 16", "--layers 2", "--heads 4", "--norm post", "--tying none", "--activation gelu"]:
        flag = change.split()[0]
        result = refused(place, f"train --resume --run a {change}", f"^dtrain: {flag} is ")
        if "--from" in result.text:
            raise cases.Failure(f"parameters fit no other model\n{result}")


@case("on --resume, too, a setting that says nothing beside the run's others is refused")
def resume_refuses_senseless(place):
    prepared(place)
    place.dtrain("train", "--text", "pairs.tsv", "--run", "lm", *LM, "--steps", "2").expect(code=0)
    for run, change in [("a", "--text pairs.tsv"), ("a", "--initial-deviation 3"), ("a", "--secure --transport ipc"),
                        ("lm", "--beam 4"), ("lm", "--encoder-layers 1"), ("lm", "--corpus pairs.tsv"),
                        ("lm", "--too-long stop")]:
        refused(place, f"train --resume --run {run} --steps 9 {change}", f"{change.split()[0]} makes no sense here")
    # What was given at the beginning, or is the default, changes nothing.
    place.dtrain(*"train --resume --run lm --steps 4 --beam 1".split()).expect(code=0)
    place.dtrain(*"train --resume --run a --encoder-layers 1 --no-balance".split(), "--steps", "90").expect(code=0)


@case("another tokenizer or origin on --resume is refused with advice that can be followed; the same one may move")
def resume_tokenizer(place):
    prepared(place)
    own = glob.glob(place.path("a/checkpoints/*/tokenizer.model"))[0]
    shutil.copy(own, place.path("t.model"))
    for change in ("--tokenizer t.model", "--vocabulary 90", "--from a"):
        result = refused(place, f"train --resume --run a {change} --steps 99", f"^dtrain: {change.split()[0]} is ")
        follow(place, result)
    line = "train --corpus pairs.tsv --tokenizer t.model --run b --steps 2".split()
    place.dtrain(*line, *TOY).expect(code=0)
    os.rename(place.path("t.model"), place.path("moved.model"))
    place.dtrain(*"train --resume --run b --steps 3".split()).expect(code=0)
    place.dtrain(*"train --resume --run b --steps 4 --tokenizer moved.model".split()).expect(code=0)
    refused(place, "train --resume --run b --steps 5 --tokenizer gone.model", "gone.model cannot be opened", code=74)
    place.write("none.model", "")
    refused(place, "train --resume --run b --steps 5 --tokenizer none.model", "no SentencePiece model", code=65)


@case("after NaN the advice can be followed")
def advice_after_nan(place):
    place.write("pairs.tsv", cases.pairs())
    result = place.dtrain("train", "--corpus", "pairs.tsv", "--run", "a", *SMALL, "--steps", "5",
                          "--learning-rate", "1e30").expect(code=1, says=["--on-nan skip", "--learning-rate 0.002"])
    follow(place, result)


@case("--from RUN takes the run's model and tokenizer along, and refuses others")
def warm_start(place):
    prepared(place)
    place.dtrain("train", "--from", "a", "--corpus", "pairs.tsv", "--run", "b", "--steps", "2", "--threads", "1",
                 "--batch-tokens", "512").expect(code=0)
    text = place.read("b/configuration.yaml")
    for key in ["d-model: '?32'?", "d-ff: '?64'?", "layers: '?1'?"]:
        if not re.search(rf"^{key}$", text, re.MULTILINE):
            raise cases.Failure(f"no {key} in\n{text}")
    if "vocabulary:" in text:
        raise cases.Failure(f"the vocabulary is the other run's\n{text}")
    for options in ["--d-model 64", "--layers 2", "--preset small", "--activation gelu", "--architecture lm"]:
        refused(place, f"train --from a --corpus pairs.tsv {options}", options.split()[0], "--from")
    for options in ["--vocabulary 100", "--tokenizer x"]:
        refused(place, f"train --from a --corpus pairs.tsv {options}", options.split()[0], "exclude each other")


@case("options that contradict each other are refused")
def contradictions(place):
    place.write("pairs.tsv", cases.pairs())
    for line, *says in [
            ("--vocabulary 100 --tokenizer t", "--vocabulary", "--tokenizer"),
            ("--epochs 1 --steps 5", "--steps", "--epochs"),
            ("--source s --corpus c", "--source", "--corpus"),
            ("--source s --target t --corpus c", "exclude"),
            ("--source s", "--source needs --target"), ("--target s", "--target needs --source"),
            ("--text t --corpus c", "--text|--corpus"), ("--text t", "--text .*--architecture lm"),
            ("--architecture lm --corpus c", "--corpus"), ("--architecture lm --source a --target b", "--source"),
            ("--architecture lm --beam 4", "--beam"), ("--architecture lm --encoder-layers 2", "--encoder-layers"),
            ("--architecture lm --tying decoder", "--tying"), ("--secure --insecure", "--secure", "--insecure"),
            ("--secure --transport ipc", "--secure"), ("--secure --transport shared", "--secure"),
            ("--initial-deviation 0.1", "--initial-deviation"), ("--norm none --normalisation rms", "--normalisation"),
            ("--workers 9", "--workers 9", "--shards 8"),
            ("--d-model 33", "--d-model 33"), ("--d-model 36 --heads 5", "--heads 5", "--d-model 36")]:
        refused(place, "train " + line, *says)
    for line, *says in [("worker --connect tcp://h:1 --token x --insecure", "--token"),
                        ("worker --connect tcp://h:1 --from slurm", "--connect"),
                        ("worker --port 5 --connect tcp://h:1 --insecure", "--port"),
                        ("worker --connect tcp://[::1]:1 --insecure --relay --ring-port 5", "--relay"),
                        ("bench all-reduce --one-port", "--one-port"), ("inspect --heat-map a.svg", "--attention")]:
        refused(place, line, *says)


@case("a file of options yields to the command line where both cannot be")
def layers_of_options(place):
    place.write("pairs.tsv", cases.pairs())
    place.write("c.yaml", "steps: 100\nvocabulary: 100\ncorpus: pairs.tsv\nd-model: 64\nsecure: true\n")
    place.dtrain("train", "--config", "c.yaml", "--epochs", "1", "--insecure", *TOY, "--run", "a").expect(code=0)
    text = place.read("a/configuration.yaml")
    if "\nsteps:" in text or not re.search("secure: '?false", text):
        raise cases.Failure(text)
    place.dtrain("train", "--config", "a/configuration.yaml", "--run", "b").expect(code=0)
    place.write("d.yaml", "steps: 100\nepochs: 3\n")
    refused(place, "train --config d.yaml", "'steps' in .*d.yaml, line 1", "'epochs' in .*d.yaml, line 2")


@case("a message names the option that was typed")
def named_as_typed(place):
    place.write("text.txt", "alpha beta gamma delta epsilon\n\n" * 60)
    place.dtrain("train", "--text", "text.txt", "--run", "a", *LM, "--steps", "1").expect(code=0)
    long = " ".join(["alpha beta gamma"] * 60)
    result = refused(place, ["inspect", "a", "--attention", long], "--attention has")
    if "--prompt" in result.text:
        raise cases.Failure(str(result))
    refused(place, ["generate", "--run", "a", "--prompt", long], "--prompt has")
    refused(place, "train --layers 0", "--layers 0")
    refused(place, "train --decoder-layers 0", "--decoder-layers 0")
    place.write("c.yaml", "seed: 1\nlayers: 0\n")
    refused(place, "train --config c.yaml", "'layers: 0' in .*c.yaml, line 2")
    place.write("d.yaml", "shards: 2\n# more\nworkers: 3\n")
    refused(place, "train --config d.yaml", "'workers: 3' in .*d.yaml, line 3", "'shards: 2' in .*d.yaml, line 1")
    refused(place, "train --d-model 130", "--heads 4 \\(not given\\) does not divide --d-model 130")
    result = refused(place, "token show --run a/none", "there is no a.none", "--run")
    if "--token-file" in result.text:
        raise cases.Failure(str(result))


@case("values that are none get one sentence with what is allowed")
def values(place):
    for line, *says in [
            ("--seed -1", "--seed -1 is out of range", "from 0 to 18446744073709551615"),
            ("--seed 18446744073709551616", "out of range"), ("--seed=-1", "out of range"),
            ("--steps 99999999999999999999999", "out of range"), ("--steps 1e3", "write 1000"),
            ("--steps 1,000", "write 1000"), ("--steps 1_000", "write 1000"), ("--steps 0x10", "whole number"),
            ("--steps ''", "whole number"), ("--steps ' 5'", "whole number"), ("--steps 5.5", "whole number"),
            ("--steps ٣", "whole number"), ("--steps ５", "whole number"), ("--steps -0x1", "whole number"),
            ("--steps nan", "whole number"), ("--steps +", "whole number"), ("--steps --", "whole number"),
            ("--learning-rate nan", "a number above 0"), ("--learning-rate inf", "a number above 0"),
            ("--learning-rate 1e999", "out of range"), ("--learning-rate 1e-999", "out of range"),
            ("--learning-rate 0", "out of range"), ("--learning-rate -1", "out of range"),
            ("--learning-rate 0,001", "point"), ("--learning-rate 0x1p-3", "a number above 0"),
            ("--learning-rate ''", "a number above 0"), ("--learning-rate '1 e-3'", "a number above 0"),
            ("--dropout 1", "from 0 to below 1"), ("--dropout -0.1", "out of range"), ("--dropout 30%", "a number"),
            ("--peer-timeout 10", "add its unit"), ("--peer-timeout 10sec", "a time"), ("--peer-timeout 10S", "a time"),
            ("--peer-timeout 99h", "from 100ms to 1h"), ("--peer-timeout 1us", "a time"),
            ("--peer-timeout ' 1s'", "a time"), ("--peer-timeout -1s", "a time"), ("--peer-timeout 1e300s", "out of range"),
            ("--time-limit 0s", "out of range"), ("--time-limit 5m30s", "a time"),
            ("--wire int4", "f32, bf16 or int8"), ("--wire BF16", "did you mean bf16"), ("--wire ''", "f32, bf16"),
            ("--residual yes", "true or false"), ("--bind 5555", "an address"), ("--bind localhost:5", "tcp://localhost:5"),
            ("--bind tcp://h:99999", "an address"), ("--corpus ''", "names no file"),
            ("--vocabulary 7", "--vocabulary 7"), ("--positions 1", "--positions 1"), ("--workers 0", "--workers 0"),
            ("--heads 0", "--heads 0"), ("--keep 0", "--keep 0"), ("--d-model 99999999999", "--d-model")]:
        refused(place, "train " + line, line.split("=")[0].split()[0], *says)
    for line, *says in [
            ("generate --temperature -1", "--temperature"), ("generate --temperature nan", "--temperature"),
            ("generate --top-p 0", "--top-p"), ("generate --top-p 1.1", "--top-p"), ("generate --seed -1", "--seed"),
            ("generate --count 0", "--count"), ("generate --length x", "--length"), ("translate --beam 65", "--beam"),
            ("translate --threads 0", "--threads"), ("worker --connect tcp://h:1 --insecure --wait 5", "--wait"),
            ("plan --bandwidth 5", "--bandwidth", "add its unit"), ("plan --latency fast", "--latency"),
            ("bench all-reduce --bytes 4k", "--bytes"), ("bench all-reduce --bytes 6", "--bytes"),
            ("bench step --preset huge", "tiny, small or base"), ("bench kernels --preset huge", "tiny, small or base"),
            ("verify --steps 5", "--steps"), ("simulate --seeds 0", "--seeds")]:
        refused(place, line, *says)


@case("forms of options: --name=value, values that begin with a dash, flags with a value")
def forms(place):
    prepared(place)
    place.dtrain("train", "--corpus=pairs.tsv", "--run=b", *SMALL, "--steps=1", "--seed=3").expect(code=0)
    refused(place, "train --quiet=true", "--quiet is given by name alone")
    refused(place, "train --no-balance=yes", "--no-balance")
    refused(place, "train --steps", "missing value for '--steps")
    refused(place, "train --steps=", "missing value for '--steps")
    refused(place, "generate --run a --prompt -x", "no language model|translate")
    # Of an option that is given twice the last counts, so that a script's options can be overridden.
    place.dtrain("train", "--resume", "--run", "a", "--steps", "9", "--steps=3").expect(code=0, says="step 3 digest")


@case("a mistyped command or option is named, and the nearest suggested")
def mistyped(place):
    for line, *says in [
            ("trian --corpus x", "'trian'", "dtrain train"), ("trian", "dtrain train"), ("Train", "dtrain train"),
            ("tranlsate", "dtrain translate"), ("bench stpe", "'stpe'", "dtrain bench step"),
            ("token shwo", "dtrain token show"), ("help trian", "dtrain help train"),
            ("help setings", "dtrain help settings"), ("xyzzy", "'xyzzy'", "dtrain help"), ("''", "no command"),
            ("--quiet train", "--quiet", "dtrain train --quiet"), ("--json inspect", "dtrain inspect --json"),
            ("train --wrokers 3", "--wrokers", "--workers"), ("train --d_model 3", "--d_model", "--d-model"),
            ("train -w 3", "-w"), ("train extra", "'extra'"), ("translate a b", "'b'"),
            ("help exit-codes --markdwn", "--markdown")]:
        refused(place, line, *says)


@case("a configuration file with a mistake gets one sentence with its line")
def yaml(place):
    for text, *says in [
            ("seed: 1\nsede: 2\n", "'sede'", "line 2", "'seed'"), ("bananas: 2\n", "'bananas'", "line 1"),
            ("seed: 1\nseed: 2\n", "'seed'", "line 2", "twice"), ('seed: 1\n"seed": 2\n', "'seed'", "line 2", "twice"),
            ("seed: [1]\n", "'seed'", "line 1", "single value"), ("# c\nseed:\n  - 1\n", "'seed'", "line 2"),
            ("seed: {a: 1}\n", "'seed'", "line 1"), ("warmup: 1\nseed:\n", "'seed'", "line 2"),
            ("warmup: 1\nseed: ~\n", "'seed'", "line 2"), ("warmup: 1\nseed: null\n", "'seed'", "line 2"),
            ("- seed\n", "line 1"), ("seed\n", "line 1"), ("seed: 1\n\twarmup: 2\n", "line [12]"),
            ("\tseed: 1\n", "line 1"), ("seed: 'x\n", "line [123]"), ("seed: 1: 2\n", "line 1"),
            ("seed: *a\n", "line 1"), ("<<: {seed: 1}\n", "'<<'", "line 1"), ("seed: 1\n---\nseed: 2\n", "line [123]"),
            ("steps: 1e3\n", "'steps'", "line 1", "write 1000"), ("insecure: yes\n", "'insecure'", "line 1", "true or false"),
            ("insecure: True\n", "'insecure'", "write true"), ("seed: -1\n", "'seed: -1'", "line 1"),
            ("learning-rate: .inf\n", "'learning-rate'", "line 1"), ("wire: INT8\n", "'wire'", "did you mean int8"),
            ("layers: 0\n", "'layers: 0'"), ("", "is empty"), ("\n \n", "is empty"), ("\ufeff", "is empty"),
            ("run: a\n", "'run'", "line 1"), ("quiet: true\n", "'quiet'", "line 1")]:
        place.write("c.yaml", text)
        refused(place, "train --config c.yaml", "c.yaml", *says)
    place.write("c.yaml", b"seed: \xff\n")
    refused(place, "train --config c.yaml", "c.yaml", "UTF-8")
    refused(place, "train --config none.yaml", "none.yaml", code=74)
    refused(place, "train --config .", code=(64, 74))


@case("a configuration file with a BOM, CR LF, anchors or quotes works")
def yaml_that_works(place):
    place.write("pairs.tsv", cases.pairs())
    place.write("c.yaml", "\ufeffcorpus: pairs.tsv\r\nseed: &a 5\r\nwarmup: *a\r\n'steps': \"2\"\r\n# end\r\n")
    place.dtrain("train", "--config", "c.yaml", "--run", "a", *SMALL).expect(code=0)
    text = place.read("a/configuration.yaml")
    if not re.search("seed: '?5'?$", text, re.MULTILINE) or not re.search("warmup: '?5'?$", text, re.MULTILINE):
        raise cases.Failure(text)
    place.write("d.yaml", "# nothing but a comment\n")
    place.dtrain("train", "--config", "d.yaml", "--corpus", "pairs.tsv", *SMALL, "--dry-run").expect(code=0)


@case("the saved configuration tells the truth, and begins the same run again")
def saved_configuration(place):
    prepared(place)
    tokenizer = "a/checkpoints/step-000002/tokenizer.model"
    place.dtrain("train", "--corpus", "pairs.tsv", "--tokenizer", tokenizer, *TOY, "--steps", "2", "--run",
                 "b").expect(code=0)
    text = place.read("b/configuration.yaml")
    if "vocabulary:" in text or "tokenizer:" not in text:
        raise cases.Failure(text)
    first = place.dtrain("inspect", "a", "--json").expect(code=0)
    again = place.dtrain("train", "--config", "a/configuration.yaml", "--run", "c").expect(code=0)
    if again.digest not in first.out:
        raise cases.Failure(f"another run\n{first}\n{again}")
    place.dtrain("train", "--corpus", "pairs.tsv", *SMALL, "--time-limit", "1h", "--epochs", "1", "--run",
                 "d").expect(code=0)
    text = place.read("d/configuration.yaml")
    if "\nsteps:" in text or "epochs:" not in text:
        raise cases.Failure(text)


@case("what generate cannot go on with is said")
def generate_ends(place):
    place.write("text.txt", "alpha beta gamma delta epsilon\n\n" * 60)
    place.dtrain("train", "--text", "text.txt", "--run", "a", *LM, "--steps", "1").expect(code=0)
    place.dtrain("generate", "--run", "a", "--length", "500", "--count", "3", "--temperature", "5").expect(
        code=0, says=["32 positions", "--length 500"])
    place.dtrain("generate", "--run", "a", "--length", "5").expect(code=0, not_says="positions")
    refused(place, "translate --run a", "language model", "dtrain generate --run")


@case("help has every setting, every exit code, and the page of the documentation")
def help_pages(place):
    codes = place.dtrain("help", "exit-codes").expect(code=0, not_says="dtrain:")
    for code in ["0", "1", "64", "65", "69", "71", "74", "130"]:
        if not re.search(rf"^ *{code}  ", codes.out, re.MULTILINE):
            raise cases.Failure(f"no exit code {code}\n{codes}")
    place.dtrain("help", "settings").expect(code=0, says=["--learning-rate <lr> +refused", "--steps <n> +may change"])
    pages = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Sources", "dtrain", "dtrain.docc")
    for topic, page in [("settings", "Settings.md"), ("exit-codes", "ExitCodes.md")]:
        printed = place.dtrain("help", topic, "--markdown").expect(code=0).out
        if printed != open(os.path.join(pages, page), encoding="utf-8").read():
            raise cases.Failure(f"{page} is not what dtrain help {topic} --markdown prints")
