import pytest
from lxml import etree

from tap_sage_intacct.intacct.objects import Field, ObjectDefinition, Relationship
from tap_sage_intacct.intacct.xml.metadata import read_lookup

APBILL = """
<data listtype="All" count="1">
  <Type Name="APBILL" DocumentType="">
    <Fields>
      <Field>
        <ID>RECORDNO</ID><LABEL>Record number</LABEL>
        <DESCRIPTION>No description specified</DESCRIPTION>
        <REQUIRED>false</REQUIRED><READONLY>true</READONLY>
        <DATATYPE>INTEGER</DATATYPE><ISCUSTOM>false</ISCUSTOM>
      </Field>
      <Field>
        <ID>PRIORITY</ID><LABEL>Owner&amp;#039;s &amp;quot;priority&amp;quot;</LABEL>
        <DESCRIPTION>R&amp;amp;D first</DESCRIPTION>
        <REQUIRED>true</REQUIRED><READONLY>false</READONLY>
        <DATATYPE>ENUM</DATATYPE>
        <VALIDVALUES>
          <VALIDVALUE></VALIDVALUE><VALIDVALUE>A &amp;amp; B</VALIDVALUE>
        </VALIDVALUES>
        <ISCUSTOM>true</ISCUSTOM>
      </Field>
    </Fields>
    <Relationships>
      <Relationship>
        <OBJECTPATH>VENDOR</OBJECTPATH><OBJECTNAME>VENDOR</OBJECTNAME><LABEL/>
        <RELATIONSHIPTYPE>MANY2ONE</RELATIONSHIPTYPE><RELATEDBY>VENDORID</RELATEDBY>
      </Relationship>
    </Relationships>
  </Type>
</data>
"""


def read(document: str) -> ObjectDefinition:
    return read_lookup(etree.fromstring(document))


def test_lookup_becomes_a_definition() -> None:
    assert read(APBILL) == ObjectDefinition(
        name="APBILL",
        document_type=None,
        fields=(
            Field(
                id="RECORDNO",
                label="Record number",
                datatype="INTEGER",
                read_only=True,
            ),
            Field(
                id="PRIORITY",
                label='Owner\'s "priority"',
                description="R&D first",
                datatype="ENUM",
                required=True,
                is_custom=True,
                valid_values=("", "A & B"),
            ),
        ),
        relationships=(
            Relationship(
                path="VENDOR",
                object_name="VENDOR",
                type="MANY2ONE",
                related_by="VENDORID",
            ),
        ),
    )


def test_field_is_found_by_id() -> None:
    definition = read(APBILL)
    assert definition.field("PRIORITY") is definition.fields[1]
    assert definition.field("priority") is None


def test_document_type_is_kept() -> None:
    document = '<data><Type Name="SODOCUMENT" DocumentType="Sales Order"/></data>'
    assert read(document).document_type == "Sales Order"


def test_object_without_fields_has_none() -> None:
    document = '<data><Type Name="X"><Fields/><Relationships/></Type></data>'
    assert read(document) == ObjectDefinition("X")


def test_first_of_two_fields_with_one_id_counts() -> None:
    document = """<data><Type Name="X"><Fields>
        <Field><ID>A</ID><DATATYPE>DATE</DATATYPE></Field>
        <Field><ID>B</ID></Field>
        <Field><ID>A</ID><DATATYPE>TEXT</DATATYPE></Field>
        <Field><LABEL>no id</LABEL></Field>
    </Fields></Type></data>"""
    fields = read(document).fields
    assert [(field.id, field.datatype) for field in fields] == [
        ("A", "DATE"),
        ("B", "TEXT"),
    ]


def test_unknown_children_are_passed_over() -> None:
    document = """<data><Type Name="X"><Novelty/><Fields><Comment/>
        <!-- a comment --><Field><ID>A</ID><NEW><ID>B</ID></NEW></Field>
    </Fields></Type></data>"""
    assert [field.id for field in read(document).fields] == ["A"]


@pytest.mark.parametrize("document", ["<data/>", "<data><Type/></data>"])
def test_answer_without_a_type_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="no <Type> with a name"):
        read(document)
