//! Names of authorisation policies that are met in the field (authPolicy is a digest; these were recomputed).

/// What a policy digest of SHA-256 means, where it is known.
pub(crate) fn name(digest: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&str, &str)] = &[
        (
            "9dffcbf36c383ae699fb9868dc6dcb89d7153884be2803922c124158bfad22ae",
            "Windows (10 and later): password for every use but certification",
        ),
        (
            "1e7cebb36f1335d083befaa3a27d8ef7f91525afe1b23af7ba2b59b1e129d439",
            "Windows (8.1): password for every use",
        ),
        ("8fcd2169ab92694e0c633f1ab772842b8241bbc20288981fc7ac1eddc1fddb0e", "password (PolicyAuthValue)"),
        (
            "be9d99ac2234dad8c93d4927ff1de75862b75d448daf66dbe075d12c269a2782",
            "Windows Hello, key of the secure kernel",
        ),
        ("0d7c6747b1b9facbba03492097aa9d5af792e5efc07346e05f9daa8b3d9e13b5", "physical presence"),
        (
            "0d84f55daf6e43ac97966e62c9bb989d3397777d25c5f749868055d65394f952",
            "authorisation of the owner hierarchy",
        ),
        (
            "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa",
            "endorsement key, PolicyA: authorisation of the endorsement hierarchy",
        ),
        (
            "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0",
            "endorsement key, PolicyB: authorisation of the endorsement hierarchy, or a policy in NV",
        ),
    ];
    let digest = hex::encode(digest);
    KNOWN.iter().find(|(known, _)| *known == digest).map(|(_, name)| *name)
}
