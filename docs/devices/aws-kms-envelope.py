#!/usr/bin/env python3
"""Makes the envelope with which a CA can ask AWS KMS about your key, by botocore.

    python3 aws-kms-envelope.py KEY-ARN NONCE > envelope.json

The credentials are those that boto3 finds (environment, profile, role). They do not leave this machine: the envelope
holds two signed requests, for DescribeKey and GetPublicKey of this one key, which AWS takes for about five minutes.
`keyvouch provider aws-kms prepare` does the same without Python.
"""
import json
import sys

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


def main(arn: str, nonce: str) -> None:
    region = arn.split(":")[3]
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    url = f"https://kms.{region}.{domain}/"
    credentials = boto3.Session().get_credentials().get_frozen_credentials()
    requests = []
    for operation in ("DescribeKey", "GetPublicKey"):
        body = json.dumps({"KeyId": arn})
        request = AWSRequest(method="POST", url=url, data=body, headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{operation}",
            "X-RKA-Nonce": nonce,
        })
        SigV4Auth(credentials, "kms", region).add_auth(request)
        requests.append({"method": "POST", "url": url, "headers": dict(request.headers), "body": body})
    envelope = {"type": "aws-kms-signed-requests", "version": 1, "nonce": nonce, "requests": requests}
    json.dump(envelope, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
