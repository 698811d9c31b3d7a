import pytest
import trustme

from faced_service.certificates import CertificateFiles, open_certificates
from faced_service.settings import Settings, SettingsError
from faced_service.watched_files import FileFault


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def files(tmp_path, authority):
    written(tmp_path, authority.issue_cert("localhost"))
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return CertificateFiles(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem")


def written(folder, issued):
    (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(folder / "key.pem")


def test_certificate_key_and_authorities_are_read(files):
    certificates = files.read()
    assert certificates.chain == files.chain.read_bytes()
    assert certificates.key == files.key.read_bytes()
    assert certificates.client_authorities == files.client_authorities.read_bytes()


def test_what_does_not_belong_together_is_said(files, authority):
    authority.issue_cert("localhost").private_key_pem.write_to_path(files.key)
    with pytest.raises(FileFault, match=r"cert\.pem and .*key\.pem are no PEM certificate with its .* mismatch"):
        files.read()


@pytest.mark.parametrize("broken", ["chain", "key", "client_authorities"])
@pytest.mark.parametrize("content", [b"", b"no PEM", "-----BEGIN CERTIFICATE-----\nö\n".encode()])
def test_what_is_no_pem_is_said(files, broken, content):
    path = getattr(files, broken)
    path.write_bytes(content)
    with pytest.raises(FileFault, match=path.name.replace(".", r"\.")):
        files.read()


def test_an_encrypted_key_is_refused_without_asking_for_its_password(files):
    from cryptography.hazmat.primitives import serialization as pem

    key = pem.load_pem_private_key(files.key.read_bytes(), None)
    secret = pem.BestAvailableEncryption(b"secret")
    files.key.write_bytes(key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, secret))
    with pytest.raises(FileFault, match="unencrypted key"):
        files.read()


def test_a_pair_is_exchanged_only_when_both_are_there(files, authority, tmp_path):
    watched = open_certificates(Settings(tls_cert=files.chain, tls_key=files.key))
    before = watched.value
    (tmp_path / "next").mkdir()
    written(tmp_path / "next", authority.issue_cert("localhost"))
    (tmp_path / "next" / "cert.pem").replace(files.chain)
    assert watched.value is before
    (tmp_path / "next" / "key.pem").replace(files.key)
    assert watched.value.chain == files.chain.read_bytes() != before.chain


def test_settings_without_tls_have_none():
    assert open_certificates(Settings()) is None


def test_unusable_files_prevent_the_start(tmp_path):
    settings = Settings(tls_cert=tmp_path / "absent.pem", tls_key=tmp_path / "absent.key")
    with pytest.raises(SettingsError, match=r"tls_cert, tls_key, tls_client_ca: .*absent\.pem cannot be read"):
        open_certificates(settings)
